"""`dead-letters redrive` and `drop`: what they ask, what they do, and what they say in the end."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.memory import MemoryQueue
from checkpoint.message_queue.port import EntryFault, QueueUnavailableError
from command_line.dead_letters.moving import DROP, REDRIVE, Action, move_dead_letters
from command_line.dead_letters.selection import Selection
from command_line.running import ExitCode
from unit.command_line.dead_lettered import EMAIL, HOSTILE, Admin, CommandLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from checkpoint.message_queue.admin import DeadLetter

EVERYTHING = Selection()


@pytest.fixture
def admin() -> Admin:
    queue = MemoryQueue()
    queue.limits = replace(queue.limits, entries=1_000, payload_bytes=10**9)
    return Admin(queue)


@pytest.fixture
def command_line(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(admin, monkeypatch)


async def move(admin: Admin, action: Action, selection: Selection = EVERYTHING, *, agrees: bool = True) -> ExitCode:
    return await move_dead_letters(admin, action, selection, confirm=lambda _: agrees, dry_run=False, as_json=False)


def left(admin: Admin) -> list[bytes]:
    return [letter.body for letter in admin.queue.dead_letters]


@pytest.mark.parametrize(("command", "on_the_queue"), [("redrive", [EMAIL, HOSTILE]), ("drop", [])])
def test_all_are_moved_without_a_question_if_a_script_says_yes(
    admin: Admin, command_line: CommandLine, command: str, on_the_queue: list[bytes]
) -> None:
    asyncio.run(admin.bury(EMAIL, HOSTILE))

    ended = command_line.run(command, "--all", "--yes")

    assert ended.exit_code == 0
    assert ended.stdout.startswith("2 ")
    assert ended.stdout.endswith(", 0 failed.\n")
    assert admin.queue.bodies == on_the_queue
    assert left(admin) == []


@pytest.mark.parametrize("arguments", [["1"], ["--reason", "unreadable"], ["--timestream", "1693561101"]])
@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_only_what_was_selected_is_moved_and_the_rest_is_released(
    admin: Admin, command_line: CommandLine, command: str, arguments: list[str]
) -> None:
    asyncio.run(admin.bury(EMAIL, reason="object unreadable"))
    asyncio.run(admin.bury(HOSTILE))
    admin.released.clear()

    ended = command_line.run(command, *arguments, "--yes")

    assert ended.exit_code == 0
    assert left(admin) == [HOSTILE]
    shown_last = admin.released[admin.released.index("1") + 1 :]  # after the preview, which released the first, too
    assert set(shown_last) <= {"2"}


def test_the_preview_counts_reasons_and_says_which_would_come_back(admin: Admin, command_line: CommandLine) -> None:
    asyncio.run(admin.bury(EMAIL, reason="object unreadable"))
    asyncio.run(admin.bury(HOSTILE, b"[]"))

    ended = command_line.run("redrive", "--all", "--dry-run")

    assert ended.exit_code == 0
    assert "3 dead letters" in ended.stderr
    assert "       2  is not JSON." in ended.stderr
    assert "       1  object unreadable" in ended.stderr
    assert "No e-mails, so the broker will dead-letter them again: 2." in ended.stderr
    assert "Mend the cause first" in ended.stderr
    assert len(left(admin)) == 3
    assert sorted(admin.released) == ["1", "2", "3"]
    assert command_line.json("redrive", "--all", "--dry-run") == [
        {"selected": 3, "bytes": len(EMAIL + HOSTILE) + 2, "reasons": {"object unreadable": 1, "is not JSON.": 2}}
    ]


@pytest.mark.parametrize("command", ["redrive", "drop"])
@pytest.mark.parametrize("arguments", [[], ["--all"], ["1"], ["1", "--all", "--yes"], ["--reason", "x", "--all"]])
def test_without_a_choice_or_without_anybody_to_ask_nothing_is_moved(
    admin: Admin, command_line: CommandLine, command: str, arguments: list[str]
) -> None:
    asyncio.run(admin.bury(EMAIL))

    ended = command_line.run(command, *arguments)

    assert ended.exit_code == 2
    assert left(admin) == [EMAIL]
    assert admin.released == []


async def test_whoever_does_not_agree_keeps_all(admin: Admin) -> None:
    await admin.bury(EMAIL)
    for action in (REDRIVE, DROP):
        assert await move(admin, action, agrees=False) == ExitCode.NOT_AS_ASKED
    assert left(admin) == [EMAIL]


async def test_what_failed_is_named_released_and_left_for_the_next_run(
    admin: Admin, capsys: pytest.CaptureFixture[str]
) -> None:
    await admin.bury(EMAIL, HOSTILE, b"third")
    admin.failing = {HOSTILE: EntryFault("The queue has no room.")}

    assert await move(admin, REDRIVE) == ExitCode.NOT_AS_ASKED

    assert "2 redriven, 1 failed." in capsys.readouterr().out
    assert left(admin) == [HOSTILE]
    assert admin.released[3:] == ["2"]

    admin.failing = {}
    assert await move(admin, REDRIVE) == ExitCode.AS_ASKED
    assert left(admin) == []
    assert admin.queue.bodies == [EMAIL, b"third", HOSTILE]


def test_a_script_is_told_what_failed(admin: Admin, command_line: CommandLine) -> None:
    asyncio.run(admin.bury(EMAIL, HOSTILE))
    admin.failing = {HOSTILE: EntryFault("The queue has no room.")}

    ended = command_line.run("redrive", "--all", "--yes", "--json")

    assert ended.exit_code == 1
    assert json.loads(ended.stdout) == {"redriven": 1, "failed": [{"id": "2", "reason": "The queue has no room."}]}


async def test_many_are_moved_in_batches_bounded_in_number_and_in_bytes(admin: Admin) -> None:
    await admin.bury(*[b"short"] * 250, *[b"x" * 3_000_000] * 3)

    assert await move(admin, REDRIVE) == ExitCode.AS_ASKED

    assert admin.batches == [100, 100, 52, 1]
    assert len(admin.queue.bodies) == 253


async def test_what_is_dead_lettered_while_it_goes_on_is_left_alone(admin: Admin) -> None:
    """As when the cause was not mended: each would come back for ever."""

    class ComesBack(Admin):
        async def redrive(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
            faults = await super().redrive(dead_letters)
            for message in await self.queue.receive(1_000, wait_seconds=0, visibility_seconds=60):
                await self.queue.dead_letter(message, "is not JSON.")
            return faults

        async def dead_letters(self) -> AsyncIterator[DeadLetter]:
            while self.queue.dead_letters:
                for letter in list(self.queue.dead_letters):
                    yield letter
                if len(self.batches) == before:
                    return

    comes_back = ComesBack(admin.queue)
    before = 0
    await comes_back.bury(*[b"bad"] * 150)

    assert await move(comes_back, REDRIVE) == ExitCode.AS_ASKED

    assert comes_back.batches == [100, 50]
    assert len(left(comes_back)) == 150


async def test_what_another_operator_took_meanwhile_is_said_to_be_gone(
    admin: Admin, capsys: pytest.CaptureFixture[str]
) -> None:
    await admin.bury(EMAIL, HOSTILE)

    def take_one(_: str) -> bool:
        del admin.queue.dead_letters[0]
        return True

    code = await move_dead_letters(admin, REDRIVE, EVERYTHING, confirm=take_one, dry_run=False, as_json=False)

    assert code == ExitCode.NOT_AS_ASKED
    out = capsys.readouterr().out
    assert "1 redriven, 1 failed." in out
    assert "1: It is no longer there" in out


async def test_an_outage_in_the_middle_says_how_many_were_done(
    admin: Admin, capsys: pytest.CaptureFixture[str]
) -> None:
    class Breaks(Admin):
        async def redrive(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
            faults = await super().redrive(dead_letters)
            self.queue.unavailable = "q.db: is away"
            return faults

    breaks = Breaks(admin.queue)
    await breaks.bury(*[b"bad"] * 150)

    with pytest.raises(QueueUnavailableError):
        await move(breaks, REDRIVE)

    assert "100 redriven, 0 failed." in capsys.readouterr().out
    assert len(left(breaks)) == 50


@pytest.mark.parametrize("arguments", [["7"], ["1", "7"]])
def test_an_id_that_is_not_there_is_named(admin: Admin, command_line: CommandLine, arguments: list[str]) -> None:
    asyncio.run(admin.bury(EMAIL))

    ended = command_line.run("drop", *arguments, "--yes")

    assert ended.exit_code == 1
    assert "no dead letter 7" in ended.stderr
    assert len(left(admin)) == 1 - arguments.count("1")


def test_nothing_to_do_is_as_asked(command_line: CommandLine) -> None:
    ended = command_line.run("redrive", "--all", "--yes")
    assert ended.exit_code == 0
    assert "No dead letters match." in ended.stderr
    assert command_line.json("redrive", "--all", "--yes") == [{"redriven": 0, "failed": []}]
