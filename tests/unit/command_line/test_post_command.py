"""The commands `post` and `replay` as a whole: what they print, and the exit codes that scripts go by."""

from __future__ import annotations

import asyncio
import io
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from command_line.application import application
from command_line.posting.posting import Failure, Tally
from command_line.posting.report import Report
from command_line.receipts.file import read_receipts
from emails import body
from unit.command_line.failing_intake import FailingIntake, answer, problem
from unit.processing_requests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture
async def intake() -> AsyncIterator[FailingIntake]:
    async with FailingIntake() as running:
        yield running


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    file = tmp_path / "mails.jsonl"
    file.write_bytes(b"".join(body(f"content {number}") + b"\n" for number in range(30)))
    return file


async def checkpoint(*arguments: object, **environment: str) -> Result:
    """Run the program on a thread, because the intake is in this one's loop."""
    return await asyncio.to_thread(
        lambda: CliRunner().invoke(
            application, [str(each) for each in arguments], env=environment, catch_exceptions=False
        )
    )


async def test_all_confirmed_is_code_0_and_the_summary_is_the_last_line(
    intake: FailingIntake, mails: Path, tmp_path: Path
) -> None:
    ended = await checkpoint("post", mails, "--receipts", tmp_path / "r", "--json", INTAKE_URL=intake.url)
    assert (ended.exit_code, ended.stderr) == (0, "")
    summary = json.loads(ended.stdout)
    assert (summary["confirmed"], summary["refused"], summary["not_confirmed"]) == (30, 0, 0)
    assert len(list(read_receipts(tmp_path / "r"))) == 30


async def test_a_refused_line_is_code_1_and_told_by_its_place_without_its_contents(
    intake: FailingIntake, mails: Path
) -> None:
    intake.script = {b"content 7": [problem(400, "Invalid fields", "email_sender is missing.")]}
    ended = await checkpoint("post", mails, "--to", f"{intake.url}/")
    assert ended.exit_code == 1
    assert ended.stdout.startswith(f"{mails}:8: refused: 400 Invalid fields: email_sender is missing.\n29 confirmed, ")
    assert "content 7" not in ended.stdout + ended.stderr


async def test_a_second_run_posts_only_what_has_no_receipt(intake: FailingIntake, mails: Path, tmp_path: Path) -> None:
    intake.script = {b"content 7": [problem(400, "Invalid fields")]}
    options = ("--receipts", tmp_path / "r", "--resume")
    assert (await checkpoint("post", mails, *options, INTAKE_URL=intake.url)).exit_code == 1
    ended = await checkpoint("post", mails, *options, INTAKE_URL=intake.url)
    assert ended.exit_code == 0
    assert ended.stdout.startswith("1 confirmed, 29 confirmed before in ")
    assert len(intake.bodies) == 31


async def test_a_wrong_token_is_code_2_after_a_summary_and_is_not_printed(intake: FailingIntake, mails: Path) -> None:
    intake.script = {b"content": [answer(401)] * 30}
    ended = await checkpoint("post", mails, "--concurrency", 1, INTAKE_URL=intake.url, TOKEN="s3cret")
    assert ended.exit_code == 2
    assert ended.stdout.startswith("0 confirmed in")
    assert ended.stderr == "checkpoint: TOKEN: the intake does not take it (401).\n"
    assert len(intake.bodies) == 1


async def test_an_intake_out_of_reach_is_code_3(mails: Path) -> None:
    ended = await checkpoint("post", mails, "--give-up-after", 0, "--json", INTAKE_URL="http://127.0.0.1:9")
    assert ended.exit_code == 3
    assert "confirmed nothing for 0 s: ClientConnectorError" in ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1])["confirmed"] == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["post", "missing.jsonl"], "missing.jsonl: No such file or directory"),
        (["post", "/dev/null", "--resume"], "--resume needs --receipts"),
        (["post", "/dev/null", "--to", "nowhere"], "the URL of an intake is"),
        (["post", "/dev/null", "--receipts", "/missing/r"], "/missing/r: No such file or directory"),
        (["replay", "--to", "http://127.0.0.1:9", "--names", "-", "--prefix", "x"], "--names says which objects"),
        (["replay", "--to", "http://127.0.0.1:9", "--names", "missing"], "missing: No such file or directory"),
    ],
)
async def test_what_cannot_be_meant_is_code_2_with_the_reason(
    arguments: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = await checkpoint(*arguments, ARCHIVE_URL=tmp_path.as_uri())
    assert ended.exit_code == 2
    assert reason in ended.stderr
    assert list(tmp_path.iterdir()) == []


async def test_a_replay_of_an_archive_that_is_not_there_is_code_3(tmp_path: Path) -> None:
    ended = await checkpoint("replay", "--to", "http://127.0.0.1:9", ARCHIVE_URL=(tmp_path / "missing").as_uri())
    assert ended.exit_code == 3
    assert "ENOENT" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["replay", "--to", "http://127.0.0.1:9"], ["reconcile", "/dev/null"]])
async def test_an_archive_that_cannot_be_listed_is_a_wrong_setting(arguments: list[str]) -> None:
    ended = await checkpoint(*arguments, ARCHIVE_URL="file://relative/path")
    assert ended.exit_code == 2
    assert ended.stderr.startswith("checkpoint: ARCHIVE_URL: ")


async def test_named_objects_are_replayed(intake: FailingIntake, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"sqs_message_{number}.json").write_bytes(body(timestream=str(number)))
    (tmp_path / "names").write_text("sqs_message_2.json\nsqs_message_3.json\n")
    options = ("--to", intake.url, "--names", tmp_path / "names", "--json")
    ended = await checkpoint("replay", *options, ARCHIVE_URL=tmp_path.as_uri())
    refused, summary = map(json.loads, ended.stdout.splitlines())
    assert (refused["place"], refused["reason"]) == ("sqs_message_3.json", "There is no such object.")
    assert (ended.exit_code, summary["confirmed"]) == (1, 1)
    assert intake.bodies == [b'{"data":' + body(timestream="2") + b"}"]


def report(tally: Tally, *, as_json: bool = False) -> Report:
    return Report(tally, as_json=as_json, clock=time, share=lambda: 0.25)


@pytest.mark.parametrize(("as_json", "lines"), [(False, 101), (True, 200)])
def test_a_reader_gets_the_first_hundred_failures_and_a_script_all(
    capsys: pytest.CaptureFixture[str], *, as_json: bool, lines: int
) -> None:
    told = report(Tally(), as_json=as_json)
    for number in range(200):
        told.failed(Failure(f"file:{number}", is_final=True, reason="[bold]400"))
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == lines
    assert "[bold]400" in printed[0]


@pytest.mark.parametrize(("retries", "told"), [(0, "2 confirmed in "), (1, ", 1 retry in "), (2, ", 2 retries in ")])
def test_the_summary_leaves_out_what_there_was_none_of(
    capsys: pytest.CaptureFixture[str], retries: int, told: str
) -> None:
    report(Tally(confirmed=2, retries=retries)).summary()
    assert told in capsys.readouterr().out


async def test_on_a_terminal_a_bar_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal: Any = Console(file=io.StringIO(), force_terminal=True, width=200)
    tally = Tally()
    told = report(tally)
    monkeypatch.setattr(told, "_notes", terminal)
    async with told.progress():
        tally.confirmed = 1234
        await until(lambda: "1,234 confirmed" in terminal.file.getvalue() and "25%" in terminal.file.getvalue())


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:port", "http://:5001", "http://me@[::1]", "x"],
)
async def test_what_is_no_url_of_an_intake_is_misuse_at_once(mails: Path, url: str) -> None:
    ended = await checkpoint("post", mails, "--to", url)
    assert ended.exit_code == 2
    assert "checkpoint: the URL of an intake is" in ended.stderr


@pytest.mark.parametrize("token", ["s3cret\nX-More: 1", "s3crét"])
async def test_a_token_that_no_header_can_have_is_misuse_and_not_shown(mails: Path, token: str) -> None:
    ended = await checkpoint("post", mails, TOKEN=token)
    assert ended.exit_code == 2
    assert "checkpoint: TOKEN: must be of printable ASCII characters" in ended.stderr
    assert "s3cr" not in ended.output


async def test_a_directory_in_place_of_names_is_misuse(tmp_path: Path) -> None:
    ended = await checkpoint("replay", "--to", "http://127.0.0.1:1", "--names", tmp_path, ARCHIVE_URL=tmp_path.as_uri())
    assert (ended.exit_code, ended.stderr) == (2, f"checkpoint: {tmp_path}: Is a directory\n")
