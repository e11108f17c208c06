"""Keeps workers running: starts each one, again when it ends, and stops them all."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import structlog

from checkpoint.settings import SettingsError
from processing_requests.workers.child import Child, State
from processing_requests.workers.readiness import readiness_of_all
from processing_requests.workers.sums import growing, total

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.clock import Clock
    from checkpoint.operations.private_port import Readiness
    from processing_requests.settings import IntakeSettings
    from processing_requests.workers.messages import Family, HealthAnswer
    from processing_requests.workers.metrics import ParentMetrics

_FIRST_DELAY_SECONDS: Final = 0.1
_LONGEST_DELAY_SECONDS: Final = 10.0
# A worker that ends sooner than this after its start has most likely ended because of something at its start.
_QUICK_SECONDS: Final = 10.0
_MOST_QUICK_ENDS: Final = 5
# Who tells a worker to stop may be telling all processes, this one too.
_ASKED_SECONDS: Final = 0.5

_log = structlog.get_logger()


class WorkersGivenUpError(Exception):
    """No worker serves, and those that were started ended at once."""


class _End(NamedTuple):
    """Why a worker has ended. was_asked: because it was told to. cannot_start: because of its settings."""

    reason: str
    was_asked: bool = False
    cannot_start: bool = False


class Children:
    """The workers, by their numbers from 1 on.

    start: starts the process of a worker.
    """

    def __init__(
        self,
        settings: IntakeSettings,
        count: int,
        start: Callable[[int], Child],
        metrics: ParentMetrics,
        *,
        clock: Clock = time,
    ) -> None:
        self.numbers: Final = range(1, count + 1)
        self._settings = settings
        self._start = start
        self._metrics = metrics
        self._clock = clock
        self._stopping = asyncio.Event()
        self._running: dict[int, Child] = {}
        self._ended: dict[int, str] = {}  # why a worker's last process did
        self._ended_metrics: list[Family] = []
        self._stuck: set[int] = set()

    @property
    def serving(self) -> list[Child]:
        """Those that take requests."""
        return [child for child in self._running.values() if child.state is State.SERVING]

    async def keep_running(self, number: int) -> None:
        """Run a worker, and again when it has ended, until all are stopped.

        Raises SettingsError where it cannot use the settings at its first start, and WorkersGivenUpError.
        """
        quick_ends = 0
        while not self._stopping.is_set():
            began = self._clock.monotonic()
            end = await self._run(number)
            if end.was_asked:
                await asyncio.sleep(_ASKED_SECONDS)
            if self._stopping.is_set():
                return
            if end.cannot_start and number not in self._ended:
                raise SettingsError(end.reason)
            quick_ends = quick_ends + 1 if self._clock.monotonic() - began < _QUICK_SECONDS else 1
            delay = min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2 ** (quick_ends - 1))
            self._ended[number] = end.reason
            _log.error("worker_ended", worker=number, reason=end.reason, restart_in_seconds=delay)
            if quick_ends >= _MOST_QUICK_ENDS and not self.serving:
                raise WorkersGivenUpError
            await asyncio.sleep(delay)
            self._metrics.restarts.inc()

    async def stop(self, *, within: float) -> bool:
        """Let all answer what has come to them, and end; kill those that have not ended `within` seconds later.

        Returns whether each has ended by itself and without an error.
        """
        children = list(self._running.values())
        late = await self.end(within=within)
        failed = [child for child in children if child not in late and not child.has_ended_well]
        for child in late:
            _log.error("worker_killed", worker=child.number, after_seconds=within)
        for child in failed:
            _log.error("worker_ended", worker=child.number, reason=child.end)
        return not late and not failed

    async def end(self, *, within: float) -> list[Child]:
        """The same, and no word about it; returns those that were killed."""
        self._stopping.set()
        children = list(self._running.values())
        for child in children:
            child.terminate()
        ended = asyncio.gather(*(child.ended() for child in children))
        await asyncio.wait([ended], timeout=within)
        late = [child for child in children if child.exit_code is None]
        for child in late:
            child.kill()
        await ended
        return late

    def share_tokens(self, text: str) -> None:
        """Have the workers take these tokens, and those that are started later."""
        self._settings = msgspec.structs.replace(self._settings, token=text)
        for child in self._running.values():
            child.share_tokens(text)

    async def is_any_stuck(self) -> bool:
        """Whether a worker serves, but does not answer in time."""
        stuck = {number for number, answer in (await self._ask_health()).items() if answer is None}
        for number in sorted(stuck - self._stuck):
            _log.error("worker_stuck", worker=number)
        self._stuck = stuck
        return bool(stuck)

    async def readiness(self) -> Readiness:
        """Whether the service is ready; asks each worker."""
        serving = await self._ask_health()
        down = self._ended | {number: "is ending" for number, child in self._running.items() if child.has_served}
        return readiness_of_all(
            serving,
            starting=set(self.numbers) - serving.keys() - down.keys(),
            down={number: reason for number, reason in down.items() if number not in serving},
        )

    async def metrics(self) -> list[Family]:
        """The sum of what the workers count and measure, asked for now; of one that does not answer, what it said last.

        What a worker has counted that ended stays in it, so that no counter goes back.
        """
        await asyncio.gather(*(child.refresh_metrics() for child in self.serving))
        return self.last_metrics()

    def last_metrics(self) -> list[Family]:
        """The same without asking."""
        return total([*(child.metrics for child in self._running.values()), self._ended_metrics])

    async def _run(self, number: int) -> _End:
        """Run a worker once; return why it has ended."""
        try:
            child = self._running[number] = self._start(number)
        except OSError as error:  # too many processes, or too little memory: the others go on
            return _End(f"cannot be started: {error.strerror}")
        _log.info("worker_started", worker=number, pid=child.pid)
        await child.run(lambda: self._settings)
        self._ended_metrics = total([self._ended_metrics, growing(child.metrics)])
        del self._running[number]
        return _End(child.end, was_asked=child.was_asked, cannot_start=bool(child.cannot_start))

    async def _ask_health(self) -> dict[int, HealthAnswer | None]:
        """What each worker that serves says, None where it does not in time."""
        asked = self.serving
        answers = await asyncio.gather(*(child.health() for child in asked))
        return {
            child.number: answer
            for child, answer in zip(asked, answers, strict=True)
            if answer is not None or child.state is State.SERVING
        }
