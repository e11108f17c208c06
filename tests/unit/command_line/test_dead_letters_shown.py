"""`dead-letters list` and `show`: what is printed, and what never is."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest

from checkpoint.message_queue.memory import MemoryQueue
from unit.command_line.dead_lettered import EMAIL, HOSTILE, Admin, CommandLine

NOW = 1_700_000_000


@pytest.fixture
def clock() -> list[float]:
    return [NOW]


@pytest.fixture
def admin(clock: list[float]) -> Admin:
    queue = MemoryQueue(now=lambda: clock[0])
    queue.limits = queue.limits.__class__(entries=1_000, payload_bytes=10**9, message_bytes=10**8)
    return Admin(queue)


@pytest.fixture
def command_line(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(admin, monkeypatch)


def test_a_list_has_a_line_for_each_with_its_reason_and_never_its_content(
    admin: Admin, command_line: CommandLine
) -> None:
    asyncio.run(admin.bury(EMAIL, reason="its object cannot be read"))
    asyncio.run(admin.bury(HOSTILE))

    ended = command_line.run("list")

    assert ended.exit_code == 0
    head, first, second = ended.stdout.splitlines()
    assert head.split() == ["ID", "WHEN", "SIZE", "RECEIVES", "REASON"]
    assert first.split() == [
        *("1", *f"{datetime.fromtimestamp(NOW).astimezone():%Y-%m-%d %H:%M:%S %Z}".split()),
        *(f"{len(EMAIL)}", "bytes", "1", "its", "object", "cannot", "be", "read"),
    ]
    assert "is not JSON." in second
    assert "owned" not in ended.output
    assert admin.released == ["1", "2"]


def test_a_list_as_json_has_an_object_per_line(admin: Admin, command_line: CommandLine) -> None:
    asyncio.run(admin.bury(EMAIL))

    assert command_line.json("list") == [
        {
            "id": "1",
            "dead_at": "2023-11-14T22:13:20.000+00:00",
            "sent_at": "2023-11-14T22:13:20.000+00:00",
            "bytes": len(EMAIL),
            "receive_count": 1,
            "reason": "is not JSON.",
        }
    ]


def test_a_reason_from_outside_is_harmless_in_a_terminal(admin: Admin, command_line: CommandLine) -> None:
    asyncio.run(admin.bury(EMAIL, reason="\x1b[31m[bold]because\n\u202e"))
    for arguments in (["list"], ["show", "1"], ["drop", "--all", "--dry-run"]):
        ended = command_line.run(*arguments)
        assert r"\x1b[31m[bold]because\n\u202e" in ended.output


def test_a_dead_letter_that_sqs_moved_without_a_word_is_told_as_such(admin: Admin, command_line: CommandLine) -> None:
    asyncio.run(admin.bury(EMAIL, reason=""))
    assert "received too often" in command_line.run("list").stdout


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ([], ["1", "2", "3"]),
        (["--reason", "NOT JSON"], ["1", "3"]),
        (["--timestream", "1693561101"], ["2"]),
        (["--timestream", "1693561101", "--reason", "not json"], []),
        (["--since", "2023-11-14T22:13:21+00:00"], ["2", "3"]),
        (["--until", "2023-11-14T22:13:21+00:00"], ["1"]),
        (["--since", "2023-11-14T22:13:21Z", "--until", "2023-11-14T22:13:22Z"], ["2"]),
        (["--since", "999999d", "--until", "1d"], ["1", "2", "3"]),
        (["--since", "1h"], []),
        (["--limit", "2"], ["1", "2"]),
    ],
)
def test_filters_pick_dead_letters(
    admin: Admin, command_line: CommandLine, clock: list[float], filters: list[str], ids: list[str]
) -> None:
    for body, reason in ((HOSTILE, "is not JSON."), (EMAIL, "object unreadable"), (b"[1]", "is not JSON.")):
        asyncio.run(admin.bury(body, reason=reason))
        clock[0] += 1

    assert [letter["id"] for letter in command_line.json("list", *filters)] == ids


@pytest.mark.parametrize("moment", ["yesterday", "12", "12w", "2023-13-01"])
def test_a_time_that_cannot_be_read_is_misuse(command_line: CommandLine, moment: str) -> None:
    ended = command_line.run("list", "--since", moment)
    assert ended.exit_code == 2
    assert "7d" in ended.stderr


def test_a_long_list_is_cut_off_for_a_reader_and_not_for_a_script(admin: Admin, command_line: CommandLine) -> None:
    asyncio.run(admin.bury(*[b"bad"] * 150))

    ended = command_line.run("list")

    assert len(ended.stdout.splitlines()) == 101
    assert "--limit" in ended.stderr
    assert len(command_line.json("list")) == 150


def test_no_dead_letters_is_said_on_stderr(command_line: CommandLine) -> None:
    ended = command_line.run("list")
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert ended.stderr == "There are no dead letters.\n"


def test_show_says_why_a_body_is_no_email_without_its_content(admin: Admin, command_line: CommandLine) -> None:
    asyncio.run(admin.bury(b'{"email_subject": "the secret", "email_content": 1, "email_timestream": "1693561101"}'))

    ended = command_line.run("show", "1")

    assert ended.exit_code == 0
    assert "no: /email_sender is missing. /email_content must be a string" in ended.stdout
    assert "the secret" not in ended.output


def test_show_tells_the_identity_of_an_email(admin: Admin, command_line: CommandLine) -> None:
    asyncio.run(admin.bury(EMAIL))

    [shown] = command_line.json("show", "1")

    assert (shown["is_email"], shown["faults"], shown["timestream"]) == (True, [], "1693561101")
    assert shown["identity"] == sha256(EMAIL).hexdigest()
    assert "content" not in shown


def test_content_goes_to_a_pipe_byte_for_byte(admin: Admin, command_line: CommandLine) -> None:
    asyncio.run(admin.bury(HOSTILE))
    assert command_line.run("show", "1", "--content").stdout_bytes == HOSTILE


@pytest.mark.parametrize("body", [EMAIL, HOSTILE, "é\u202e".encode()])
def test_content_is_in_json_as_it_is_or_in_base64(admin: Admin, command_line: CommandLine, body: bytes) -> None:
    asyncio.run(admin.bury(body))

    [shown] = command_line.json("show", "1", "--content")

    if "content" in shown:
        assert shown["content"].encode() == body
    else:
        assert base64.b64decode(shown["content_base64"]) == body
        assert body == HOSTILE


def test_content_is_written_to_a_file_that_its_owner_alone_may_read(
    admin: Admin, command_line: CommandLine, tmp_path: Path
) -> None:
    asyncio.run(admin.bury(HOSTILE))
    path = tmp_path / "content"

    ended = command_line.run("show", "1", "--output", str(path))

    assert ended.exit_code == 0
    assert path.read_bytes() == HOSTILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert "owned" not in ended.output


def test_exact_bytes_of_several_are_misuse(admin: Admin, command_line: CommandLine, tmp_path: Path) -> None:
    asyncio.run(admin.bury(EMAIL, HOSTILE))
    for options in (["--content"], ["--output", str(tmp_path / "content")]):
        assert command_line.run("show", "1", "2", *options).exit_code == 2
    assert len(command_line.json("show", "1", "2", "--content")) == 2


def test_an_id_that_is_not_there_is_named_and_the_others_are_shown(admin: Admin, command_line: CommandLine) -> None:
    asyncio.run(admin.bury(EMAIL))

    ended = command_line.run("show", "1", "7", "--json")

    assert ended.exit_code == 1
    assert [json.loads(line)["id"] for line in ended.stdout.splitlines()] == ["1"]
    assert "no dead letter 7" in ended.stderr


def test_content_that_cannot_be_written_is_told_with_its_file(
    admin: Admin, command_line: CommandLine, tmp_path: Path
) -> None:
    asyncio.run(admin.bury(EMAIL))

    for path, reason in ((tmp_path / "none" / "content", "No such file"), (Path("/dev/full"), "No space left")):
        ended = command_line.run("show", "1", "--output", str(path))

        assert (ended.exit_code, ended.stdout) == (3, "")
        assert ended.stderr.startswith(f"checkpoint: {path}: {reason}")
