"""Workers without processes, and the parent's code that keeps them running."""

from __future__ import annotations

import asyncio
import errno
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from prometheus_client import CollectorRegistry, Counter, Gauge

from checkpoint.operations.background import in_background
from processing_requests.settings import IntakeSettings
from processing_requests.workers.child import State
from processing_requests.workers.children import Children
from processing_requests.workers.messages import Family, HealthAnswer, read
from processing_requests.workers.metrics import ParentMetrics
from unit.processing_requests.waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from processing_requests.workers.child import Child


class FakeChild:
    """A worker without a process. It serves when it is told so, and ends with a code that it is given.

    obeys: whether SIGTERM ends it. answers: whether it answers questions.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.pid = 1000 + number
        self.state = State.STARTING
        self.has_served = False
        self.cannot_start = ""
        self.metrics: list[Family] = []
        self.obeys = True
        self.answers = True
        self.health_answer = HealthAnswer()
        self.tokens = ""
        self.exit_code: int | None = None
        self._over = asyncio.Event()

    def serve(self) -> None:
        self.state = State.SERVING
        self.has_served = True

    def exit(self, code: int) -> None:
        self.exit_code = code
        self.state = State.ENDING
        self._over.set()

    def count(self, requests: int, *, waiting: int = 0) -> None:
        """What it tells when it is asked next."""
        registry = CollectorRegistry()
        Counter("requests", "Requests", registry=registry).inc(requests)
        Gauge("waiting", "Waiting", registry=registry).set(waiting)
        self._told = read(registry)

    @property
    def was_asked(self) -> bool:
        return self.exit_code == 0

    @property
    def has_ended_well(self) -> bool:
        return self.exit_code == 0

    @property
    def end(self) -> str:
        return self.cannot_start or f"exit code {self.exit_code}"

    async def run(self, settings: Callable[[], IntakeSettings]) -> None:
        self.tokens = settings().tokens
        await self._over.wait()

    async def ended(self) -> None:
        await self._over.wait()

    async def health(self) -> HealthAnswer | None:
        return self.health_answer if self.answers else None

    async def refresh_metrics(self) -> None:
        if self.answers:
            self.metrics = self._told

    def share_tokens(self, text: str) -> None:
        self.tokens = text

    def terminate(self) -> None:
        if self.obeys:
            self.exit(0)

    def kill(self) -> None:
        self.exit(-9)


class Workers:
    """Children of which all that were started can be looked at: `started[number]`, the last one last.

    lack: a text has the system refuse another process, which `refused` counts.
    """

    def __init__(self, count: int = 2) -> None:
        self.started: dict[int, list[FakeChild]] = {number: [] for number in range(1, count + 1)}
        self.lack = ""
        self.refused = 0
        self.metrics = ParentMetrics()
        self.children = Children(IntakeSettings(token="old"), count, self._start, self.metrics)

    def __getitem__(self, number: int) -> FakeChild:
        return self.started[number][-1]

    def _start(self, number: int) -> Child:
        if self.lack:
            self.refused += 1
            raise OSError(errno.EAGAIN, self.lack)
        self.started[number].append(FakeChild(number))
        return cast("Child", self[number])

    async def restarted(self, number: int, *, times: int = 1) -> FakeChild:
        await until(lambda: len(self.started[number]) == times + 1)
        return self[number]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep them running while the body runs; all have begun."""
        try:
            async with asyncio.timeout(DEADLINE), in_background(*map(self.children.keep_running, self.started)):
                await until(lambda: all(self.started.values()))
                yield
        finally:
            await self.children.end(within=1)
