"""The broker's hold on the messages it works on: extended while that takes, given back when it cannot be done."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from checkpoint.message_queue.port import QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from checkpoint.message_queue.port import Message, ReceivingQueue

_log = structlog.get_logger()


class Leases:
    """Keeps held messages hidden from other receivers.

    visibility_seconds: the queue's visibility timeout, taken anew at half of it.
    now: seconds of a clock that never goes back.
    """

    def __init__(
        self, queue: ReceivingQueue, *, visibility_seconds: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._queue = queue
        self._visibility_seconds = visibility_seconds
        self.now = now
        self._ends: dict[Message, float] = {}

    def hold(self, messages: Iterable[Message], *, since: float) -> None:
        """Hold messages that were asked for at `since`, a time of `now`."""
        for message in messages:
            self._ends[message] = since + self._visibility_seconds

    def release(self, message: Message) -> None:
        """Let go of a message: deleted, or left to become visible again."""
        self._ends.pop(message, None)

    async def hand_back(self, messages: Iterable[Message]) -> None:
        """Make messages visible to other receivers at once. Where the queue is away, they become so by themselves."""
        held = [message for message in messages if self._ends.pop(message, None) is not None]
        if not held:
            return
        try:
            await self._queue.change_visibility(held, 0)
        except QueueUnavailableError as error:
            _log.warning("could not hand back; visible again by timeout", messages=len(held), reason=str(error))
        else:
            _log.info("handed back", messages=len(held))

    async def hand_back_all(self) -> None:
        """Make every held message visible to other receivers at once."""
        await self.hand_back(list(self._ends))

    async def extend_until_cancelled(self) -> None:
        """Extend whatever is held for longer than half its visibility timeout."""
        while True:
            await asyncio.sleep(self._visibility_seconds / 6)
            await self.extend_due()

    async def extend_due(self) -> None:
        """Extend what is due now."""
        now = self.now()
        due = [message for message, end in self._ends.items() if end - now < self._visibility_seconds / 2]
        if not due:
            return
        try:
            faults = await self._queue.change_visibility(due, self._visibility_seconds)
        except QueueUnavailableError as error:
            _log.warning("could not extend", messages=len(due), reason=str(error))
            return
        for message, fault in zip(due, faults, strict=True):
            if message not in self._ends:
                continue
            if fault is None:
                self._ends[message] = now + self._visibility_seconds
            else:  # another receiver may have it now, which harms nothing: the archive takes it once
                self.release(message)
                _log.warning("lost the lease", reason=fault.reason, receive_count=message.receive_count)
