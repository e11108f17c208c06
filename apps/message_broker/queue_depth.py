"""How much is on the queue, and for how long the oldest message has been there: measured from time to time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.message_queue.port import QueueUnavailableError
from checkpoint.operations.telemetry import log_failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import Depth
    from checkpoint.operations.counted_queue import CountedReceivingQueue
    from message_broker.in_flight import InFlight
    from message_broker.metrics import Metrics

_log = structlog.get_logger()

# A queue of millions of messages may take long to count them, and does nothing else meanwhile: a hundredth of the time.
_REST_PER_SECOND: Final = 99
_MEASURE_SECONDS: Final = 10.0
# After one that failed, most likely by an outage, which ends: an alert says that nothing is measured for ten minutes.
_LONGEST_REST_AFTER_FAILURE_SECONDS: Final = 60.0
# For how long the slowest e-mail of late speaks for the age of the oldest message.
_RECENT_SECONDS: Final = 60.0


@dataclass(eq=False, kw_only=True)
class QueueDepth:
    """Measures the queue. A measurement that fails disturbs nothing, and what it would have told is not known then."""

    queue: CountedReceivingQueue
    in_flight: InFlight
    metrics: Metrics
    clock: Clock

    def __post_init__(self) -> None:
        self._depth: Depth | None = None
        self._longest_before = 0.0
        self._told = ""

    @property
    def messages(self) -> Mapping[str, float] | None:
        """By state; None where it is not known."""
        depth = self._depth
        return {"waiting": depth.waiting, "in_flight": depth.in_flight} if depth else None

    @property
    def dead_letters(self) -> float | None:
        """None where it is not known, or there is no such queue."""
        return self._depth.dead_letters if self._depth else None

    @property
    def oldest_seconds(self) -> float | None:
        """The age of the oldest message, 0 without one; None where it is not known.

        Where the queue does not say, as SQS: of the oldest one that this broker holds or has stored within one or two
        minutes. A message that nobody has received may be older.
        """
        if self._depth and self._depth.oldest_seconds is not None:
            return self._depth.oldest_seconds
        sent_at = self.in_flight.oldest_sent_at
        held = self.clock.time() - sent_at if sent_at is not None else 0.0
        if self._depth and not self._depth.waiting and not self._depth.in_flight:
            return held
        oldest = max(held, self._longest_before, self.metrics.longest_seconds)
        return oldest if self._depth or oldest else None

    async def measure_periodically(self) -> None:
        """Ask the queue as often as it may be asked. Until cancelled."""
        while self.queue.is_measured:
            began = self.clock.monotonic()
            self._depth = await self._measure()
            rest = (self.clock.monotonic() - began) * _REST_PER_SECOND
            if self._depth is None:
                rest = min(rest, _LONGEST_REST_AFTER_FAILURE_SECONDS)
            await asyncio.sleep(max(self.queue.limits.depth_seconds, rest))

    async def forget_periodically(self) -> None:
        """Let the slowest e-mail of late be one of the last two minutes. Until cancelled."""
        while True:
            await asyncio.sleep(_RECENT_SECONDS)
            self._longest_before, self.metrics.longest_seconds = self.metrics.longest_seconds, 0.0

    async def _measure(self) -> Depth | None:
        try:
            async with asyncio.timeout(_MEASURE_SECONDS):
                depth = await self.queue.depth()
        except (QueueUnavailableError, TimeoutError) as error:
            reason = str(error) or f"no answer within {_MEASURE_SECONDS:g} s"
            if reason != self._told:
                _log.warning("depth_unknown", reason=reason)
            self._told = reason
        except Exception as error:  # noqa: BLE001  the broker moves messages all the same
            log_failure(_log, error)
        else:
            self._told = ""
            return depth
        return None
