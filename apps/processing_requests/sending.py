"""From a checked e-mail to the queue's confirmation: shared calls, a deadline, and the truth about the queue."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from checkpoint.batching import Batcher, OverloadedError
from checkpoint.message_queue.port import QueueUnavailableError
from processing_requests.answers import OVERLOADED, QUEUE_UNAVAILABLE, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checkpoint.email import Email
    from checkpoint.message_queue.port import EntryFault, SendingQueue
    from checkpoint.operations.health import Health
    from processing_requests.metrics import Metrics

SENDING = "queue"
_PROBE_AGAIN_SECONDS = 1.0


class Sending:
    """Puts e-mails on the queue; those that wait together share one call.

    timeout_seconds: within which the queue must confirm.
    max_waiting, max_waiting_bytes: what may wait for the queue's confirmation; more is refused at once.
    """

    def __init__(
        self,
        queue: SendingQueue,
        *,
        health: Health,
        metrics: Metrics,
        timeout_seconds: float,
        max_waiting: int,
        max_waiting_bytes: int,
    ) -> None:
        self._queue = queue
        self._health = health
        self._metrics = metrics
        self._timeout_seconds = timeout_seconds
        self._max_waiting = max_waiting
        self._failed = asyncio.Event()
        self._batcher: Batcher[bytes, EntryFault | None] = Batcher(
            self._send,
            entries=queue.limits.entries,
            payload_bytes=queue.limits.payload_bytes,
            calls_at_once=queue.limits.calls_at_once,
            waiting_entries=max_waiting,
            waiting_bytes=max_waiting_bytes,
            size=len,
        )
        metrics.watch_waiting(lambda: self._batcher.entries_held, lambda: self._batcher.bytes_held)

    def check_room(self) -> None:
        """Refuse early, before a body is read, what would be refused after. Raises RefusedError."""
        if self._batcher.entries_held >= self._max_waiting:
            raise RefusedError(OVERLOADED)

    async def send(self, email: Email) -> None:
        """Return when the queue has confirmed the e-mail as durable. Raises RefusedError otherwise.

        Refused, it may be on the queue all the same, when the queue answers late: sent again, it is kept once.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds):
                fault = await self._batcher.submit(email.body)
        except OverloadedError:
            raise RefusedError(OVERLOADED) from None
        except QueueUnavailableError:
            confirmed = False
        except TimeoutError:
            confirmed = False
            self._report_fault(f"no confirmation within {self._timeout_seconds:g} s")
        else:
            confirmed = fault is None
        if not confirmed:
            self._metrics.not_confirmed.inc()
            raise RefusedError(QUEUE_UNAVAILABLE)

    async def probe_while_at_fault(self) -> None:
        """Find out when the queue is back, for no client is sent to a service that is not ready. Until cancelled."""
        while True:
            try:
                await self._queue.probe()
            except QueueUnavailableError as error:
                self._health.unhealthy(SENDING, str(error))
                await asyncio.sleep(_PROBE_AGAIN_SECONDS)
            else:
                self._failed.clear()
                self._health.healthy(SENDING)
                await self._failed.wait()

    async def drain(self) -> None:
        """Wait until no call to the queue is under way, and no longer than for a confirmation: nobody awaits it now."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_seconds):
                await self._batcher.drain()

    async def _send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        self._metrics.batch_entries.observe(len(bodies))
        try:
            faults = await self._queue.send(bodies)
        except QueueUnavailableError as error:
            self._report_fault(str(error))
            raise
        except Exception as error:
            self._report_fault(type(error).__name__)  # its text is not known to be free of content
            raise
        if all(faults):
            self._report_fault(next(fault.reason for fault in faults if fault))
        else:
            self._health.healthy(SENDING)
        return faults

    def _report_fault(self, reason: str) -> None:
        self._health.unhealthy(SENDING, reason)
        self._failed.set()
