"""Looks through the dead letters, and lets other operators see them again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from checkpoint.message_queue.port import QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from checkpoint.message_queue.admin import AdminQueue, DeadLetter


class Look:
    """One look through the dead letters of a queue, as an asynchronous context manager.

    On exit, what was shown is released: SQS hides it otherwise, for some minutes. `forget` what is no longer there.
    """

    def __init__(self, admin: AdminQueue) -> None:
        self._admin = admin
        self._shown: dict[str, DeadLetter] = {}  # without their bodies, which may not have room together

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(QueueUnavailableError):  # they are seen again when their visibility timeout is over
            await self._admin.release(list(self._shown.values()))

    async def dead_letters(self) -> AsyncIterator[DeadLetter]:
        """Every one, once."""
        async for letter in self._admin.dead_letters():
            self._shown[letter.id] = replace(letter, body=b"")
            yield letter

    def forget(self, id_: str) -> None:
        """A dead letter that was redriven or dropped."""
        self._shown.pop(id_, None)
