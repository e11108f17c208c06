"""Outages of a whole AWS service, and the end of a process around one of its calls."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from chaos.aws.answers import SLOW_DOWN, refused
from chaos.aws.calls import CHANGE_VISIBILITY, DELETE, HEAD, PUT, RECEIVE, S3_OPERATIONS, SEND
from chaos.aws.fault import CallFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from chaos.aws.calls import Call
    from chaos.aws.http_messages import Answer
    from chaos.aws.proxy import Proxy

KILLED_AROUND: Final = (SEND, RECEIVE, DELETE, CHANGE_VISIBILITY, PUT, HEAD)
_MOST_PASSES: Final = 5
_PAUSE: Final = 4  # times as long as the outage


class Refused:
    """A Fault: nothing listens where a service was."""

    def __init__(self, proxy: Proxy, service: str) -> None:
        self.name = f"{service}_refused"
        self.count = 0
        self._proxy = proxy
        self._service = service

    @contextmanager
    def going_on(self, random: Random) -> Iterator[None]:  # noqa: ARG002  nothing is left open
        """Refuse each connection."""
        with self._proxy.refusing(self._service):
            self.count += 1
            yield


class LongOutage:
    """A Fault: S3 is away for longer than it takes a message, received again and again, to be dead-lettered.

    seconds: that it lasts at least, however soon it is to end. Asked for again too soon, it does not happen: most of a
    run is to have an archive.
    """

    name = "long_archive_outage"

    def __init__(self, proxy: Proxy, *, seconds: float) -> None:
        self.count = 0
        self._proxy = proxy
        self._seconds = seconds
        self._next_at = 0.0

    @contextmanager
    def going_on(self, random: Random) -> Iterator[None]:
        """Refuse connections, or each call."""
        if time.monotonic() < self._next_at:
            yield
            return
        ends = time.monotonic() + self._seconds
        refusing: list[CallFault | Refused] = [
            Refused(self._proxy, "s3"),
            CallFault("", self._proxy, S3_OPERATIONS, _slow_down, shares=(1.0,)),
        ]
        with random.choice(refusing).going_on(random):
            self.count += 1
            yield
            time.sleep(max(0.0, ends - time.monotonic()))
        self._next_at = time.monotonic() + _PAUSE * self._seconds


async def _slow_down(fault: CallFault, call: Call) -> Answer:  # noqa: ARG001  as every fault is told which one it is
    return refused(call, SLOW_DOWN[call.service])


class Kill:
    """A Fault: a process is killed before one of its calls takes effect, or after that and before the answer.

    kill: of a program and a number of its processes, as the proxy's calls have them; whether it did.
    around: of which operations: one is chosen each time, and each once before any comes again.
    killed: how often, by operation, `before` or `after` in front of it.
    """

    name = "kill_around_a_call"

    def __init__(
        self, proxy: Proxy, kill: Callable[[str, int], bool], *, around: Sequence[str] = KILLED_AROUND
    ) -> None:
        self.count = 0
        self.killed: Counter[str] = Counter()
        self._proxy = proxy
        self._kill = kill
        self._steps = [(operation, after) for operation in around for after in (False, True)]
        self._deck: list[tuple[str, bool]] = []

    @contextmanager
    def going_on(self, random: Random) -> Iterator[None]:
        """Kill one process, after some calls have gone well."""
        if not self._deck:
            self._deck = random.sample(self._steps, len(self._steps))
        operation, after = self._deck.pop()
        passes = random.choice([0, 0, random.randint(1, _MOST_PASSES)])

        async def answer(_fault: CallFault, call: Call) -> Answer | None:
            nonlocal passes
            passes -= 1
            if passes != -1:
                return await call.forward()
            answer = await call.forward() if after else None
            if (answer is None or call.may_lose(answer)) and await self._has_killed(call):
                self.count += 1
                self.killed[f"{'after' if after else 'before'} {operation}"] += 1
                return None
            passes = 0  # the next one
            return answer or await call.forward()

        with CallFault(self.name, self._proxy, frozenset({operation}), answer, shares=(1.0,)).going_on(random):
            yield

    async def _has_killed(self, call: Call) -> bool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._kill, call.program, call.number)
