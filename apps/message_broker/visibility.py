"""The visibility timeouts of messages in flight: renewed while they are, ended when they are released."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.batching.batcher import Batcher
from checkpoint.message_queue.port import QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import EntryFault, Message, ReceivingQueue
    from message_broker.in_flight import Delivery

_log = structlog.get_logger()

_RELEASES_AT_ONCE: Final = 8


class VisibilityTimeouts:
    """Makes the calls that change visibility, so that a renewal never hides again what is released meanwhile.

    timeout_seconds: for which a message is hidden from other receivers; renewed at half of it.
    """

    def __init__(self, queue: ReceivingQueue, *, timeout_seconds: int, clock: Clock) -> None:
        self._queue = queue
        self.timeout_seconds = timeout_seconds
        self._clock = clock
        self._renewal_over = asyncio.Event()
        self._renewal_over.set()
        self._releases: Batcher[Message, EntryFault | None] = Batcher(
            self._make_visible,
            entries=queue.limits.entries,
            calls_at_once=min(_RELEASES_AT_ONCE, queue.limits.calls_at_once),
        )

    async def renew(self, deliveries: Collection[Delivery]) -> None:
        """Hide for a whole timeout from now what is hidden for less than half of one."""
        now = self._clock.monotonic()
        soon = now + self.timeout_seconds / 2
        due = [each for each in deliveries if each.hidden_until is not None and each.hidden_until < soon]
        if not due:
            return
        self._renewal_over.clear()
        try:
            faults = await self._queue.change_visibility([each.message for each in due], self.timeout_seconds)
        except QueueUnavailableError as error:
            _log.warning("renew_visibility_failed", messages=len(due), reason=str(error))
            return
        finally:
            self._renewal_over.set()
        for delivery, fault in zip(due, faults, strict=True):
            if fault is None:
                delivery.hidden_until = now + self.timeout_seconds
            elif not (fault.is_transient or delivery.has_ended):
                # Another receiver may have it now, which harms nothing: the archive takes it once.
                delivery.hidden_until = None
                _log.warning("receipt_stale", reason=fault.reason, receive_count=delivery.message.receive_count)

    async def renewal_over(self) -> None:
        """Wait until no renewal is under way."""
        await self._renewal_over.wait()

    async def release(self, delivery: Delivery, *, after_seconds: int) -> None:
        """Make a message visible at once or later; where the queue is away, its visibility timeout does that."""
        if delivery.hidden_until is None:
            return
        try:
            if after_seconds:
                await self._queue.change_visibility([delivery.message], after_seconds)
            else:
                await self._releases.submit(delivery.message)
        except QueueUnavailableError as error:
            _log.warning("release_failed", messages=1, reason=str(error))

    async def _make_visible(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        faults = await self._queue.change_visibility(messages, 0)
        if released := faults.count(None):
            _log.info("messages_released", messages=released)
        if failed := [fault for fault in faults if fault]:
            _log.warning("release_failed", messages=len(failed), reason=failed[0].reason)
        return faults
