"""Sends checked e-mails to the queue in shared calls, within a deadline, and reports whether the queue is healthy."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.batching.batcher import Batcher
from checkpoint.batching.entry import Failure, OverloadedError
from checkpoint.call_order import CallOrder
from checkpoint.message_queue.port import EntryFault, QueueFullError, QueueUnavailableError
from checkpoint.operations.telemetry import log_failure
from processing_requests.answers import INTERNAL_ERROR, OVERLOADED, QUEUE_FULL, QUEUE_UNAVAILABLE, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checkpoint.message_queue.port import SendingQueue
    from checkpoint.operations.health import Health
    from processing_requests.answers import Refusal
    from processing_requests.metrics import Metrics

QUEUE: Final = "queue"  # the condition's name in Health
_PROBE_INTERVAL_SECONDS: Final = 1.0
# The owner of a queue may let it take longer messages while the service runs; SQS takes up to a minute to do it:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
_LIMITS_INTERVAL_SECONDS: Final = 60.0
# When every request has been answered, or its client was given up.
_LAST_CALLS_SECONDS: Final = 0.5

_log = structlog.get_logger()


@dataclass(kw_only=True)
class QueueSender:
    """Puts e-mails on the queue; those that wait together share one call.

    timeout_seconds: within which the queue must confirm, counted from when the e-mail is put in line.
    max_request_bytes: the longest request that may be read, if the queue takes as long a message.
    max_waiting, max_waiting_bytes: what may wait for the queue's confirmation; more is refused at once.
    """

    queue: SendingQueue
    health: Health
    metrics: Metrics
    timeout_seconds: float
    max_request_bytes: int
    max_waiting: int
    max_waiting_bytes: int

    def __post_init__(self) -> None:
        self._calls = CallOrder()
        self._failed = asyncio.Event()
        self._max_bytes_logged: int | None = None
        self._batcher: Batcher[bytes, EntryFault | None] = Batcher(
            self._send,
            entries=self.queue.limits.entries,
            payload_bytes=lambda: self.queue.limits.payload_bytes,
            calls_at_once=self.queue.limits.calls_at_once,
            linger_seconds=self.queue.limits.linger_seconds,
            lingers_alone=False,
            timeout_seconds=self.timeout_seconds,
            waiting_entries=self.max_waiting,
            waiting_bytes=self.max_waiting_bytes,
            size=len,
        )

    @property
    def waiting(self) -> int:
        """E-mails that wait for the queue's confirmation."""
        return self._batcher.entries_held

    @property
    def waiting_bytes(self) -> int:
        """The bytes of those e-mails."""
        return self._batcher.bytes_held

    @property
    def max_bytes(self) -> int:
        """The longest request, and the longest e-mail, that can be taken now.

        Raises RefusedError as long as the queue was not reached: only it knows how long a message it takes.
        """
        if (message_bytes := self.queue.limits.message_bytes) is None:
            raise RefusedError(QUEUE_UNAVAILABLE)
        return min(self.max_request_bytes, message_bytes)

    @property
    def has_room(self) -> bool:
        """Whether an e-mail that comes now could wait: asked before a body is read."""
        return self.waiting < self.max_waiting

    def put(self, body: bytes, done: Callable[[Refusal | None], None]) -> None:
        """Send an e-mail. Raises RefusedError where there is no room.

        done: called once, later: with None when the queue has confirmed the e-mail as durable, with a refusal
        otherwise. Refused, it may be on the queue all the same, when the queue answers late: sent again, it is kept
        once.
        """
        try:
            self._batcher.put(body, partial(self._end, done, self._calls.now()))
        except OverloadedError:
            raise RefusedError(OVERLOADED) from None

    async def probe_while_unhealthy(self) -> None:
        """Find out when the queue is back, for no client is sent to a service that is not ready. Until cancelled."""
        while True:
            began = self._calls.now()
            try:
                await self._probe()
            except QueueUnavailableError as error:
                self._report_failure(str(error), began)
            else:
                if self._calls.succeeded(began):
                    self._failed.clear()
                    self.health.healthy(QUEUE)
                    await self._failed.wait()
                    continue
            await asyncio.sleep(_PROBE_INTERVAL_SECONDS)

    async def refresh_limits_periodically(self) -> None:
        """Find out when the queue takes longer messages than it did. Until cancelled."""
        while True:
            await asyncio.sleep(_LIMITS_INTERVAL_SECONDS)
            with suppress(QueueUnavailableError):  # whether the queue is healthy, the sends tell
                await self._probe()

    async def drain(self) -> None:
        """Let calls to the queue that are under way come to their end, for half a second: no client awaits it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_CALLS_SECONDS):
                await self._batcher.drain()

    async def _probe(self) -> None:
        await self.queue.probe()
        if self.max_bytes != self._max_bytes_logged:
            self._max_bytes_logged = self.max_bytes
            _log.info("size_limit_set", max_bytes=self.max_bytes, max_request_bytes=self.max_request_bytes)

    def _end(self, done: Callable[[Refusal | None], None], began: int, outcome: EntryFault | Failure | None) -> None:
        try:
            done(None if outcome is None else self._refusal(outcome, began))
        except Exception as error:  # noqa: BLE001  one request's fault is not the others'
            log_failure(_log, error)

    def _refusal(self, outcome: EntryFault | Failure, began: int) -> Refusal:
        match outcome:
            case Failure(QueueFullError()) | EntryFault(lacks_room=True):
                self.metrics.refused_by_full_queue.inc()
                return QUEUE_FULL
            case Failure(QueueUnavailableError() | asyncio.CancelledError()) | EntryFault():
                pass
            case Failure(TimeoutError()):
                self._report_failure(f"no confirmation within {self.timeout_seconds:g} s", began)
            case _:
                return INTERNAL_ERROR
        self.metrics.unconfirmed.inc()
        return QUEUE_UNAVAILABLE

    async def _send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        self.metrics.batch_messages.observe(len(bodies))
        began = self._calls.now()
        try:
            faults = await self.queue.send(bodies)
            if len(faults) != len(bodies):
                raise ValueError("a send must give one result per body")  # noqa: TRY301  it is logged as any other
        except QueueUnavailableError as error:
            self._report_failure(str(error), began)
            raise
        except Exception as error:
            self._report_failure(type(error).__name__, began)  # its text is not known to be free of content
            log_failure(_log, error)
            raise
        self.metrics.posted(bodies, faults)
        if not all(faults):
            if self._calls.succeeded(began):
                self.health.healthy(QUEUE)
        elif reasons := [fault.reason for fault in faults if fault and not fault.lacks_room]:
            self._report_failure(reasons[0], began)
        return faults

    def _report_failure(self, reason: str, began: int) -> None:
        if self._calls.failed(began):
            self.health.unhealthy(QUEUE, reason)
            self._failed.set()
