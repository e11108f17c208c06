"""A queue in memory with dead letters, as the commands see it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from checkpoint.message_queue.memory import MemoryAdminQueue, MemoryQueue
from command_line import opening
from command_line.application import application

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import pytest
    from typer.testing import Result

    from checkpoint.message_queue.admin import DeadLetter
    from checkpoint.message_queue.port import EntryFault

EMAIL = b'{"email_subject": "s", "email_sender": "a@b", "email_timestream": "1693561101", "email_content": "c"}'
HOSTILE = b'{"email_subject": "\x1b]0;owned\x07[red]", "email_content": "\x9b31m"}'


class Admin(MemoryAdminQueue):
    """Remembers what it was asked for.

    failing: bodies of which a redrive fails. released: ids, in order.
    """

    def __init__(self, queue: MemoryQueue) -> None:
        super().__init__(queue)
        self.queue = queue
        self.failing: dict[bytes, EntryFault] = {}
        self.batches: list[int] = []
        self.released: list[str] = []

    async def redrive(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
        self.batches.append(len(dead_letters))
        good = [letter for letter in dead_letters if letter.body not in self.failing]
        done = iter(await super().redrive(good))
        return [self.failing.get(letter.body) or next(done) for letter in dead_letters]

    async def release(self, dead_letters: Sequence[DeadLetter]) -> None:
        assert not any(letter.body for letter in dead_letters)
        self.released += [letter.id for letter in dead_letters]

    async def bury(self, *bodies: bytes, reason: str = "is not JSON.") -> None:
        await self.queue.send(bodies)
        for message in await self.queue.receive(len(bodies), wait_seconds=0, visibility_seconds=60):
            await self.queue.dead_letter(message, reason)


class CommandLine:
    """Runs `checkpoint dead-letters …` on that queue."""

    def __init__(self, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
        @asynccontextmanager
        async def opened(_: str) -> AsyncIterator[Admin]:
            yield admin

        monkeypatch.setattr(opening, "open_admin", opened)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(application, ["dead-letters", *arguments], env={"COLUMNS": "200"})

    def json(self, *arguments: str) -> list[dict[str, Any]]:
        ended = self.run(*arguments, "--json")
        assert ended.exit_code == 0, ended.output
        return [json.loads(line) for line in ended.stdout.splitlines()]
