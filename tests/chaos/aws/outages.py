"""Outages of a whole AWS service, and the end of a process around one of its calls."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from chaos.aws.answers import SLOW_DOWN, refused
from chaos.aws.calls import CHANGE_VISIBILITY, DELETE, HEAD, PUT, RECEIVE, S3_OPERATIONS, SEND
from chaos.aws.fault import CallFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from chaos.aws.calls import Call
    from chaos.aws.http_messages import Answer
    from chaos.aws.proxy import Proxy

KILLED_AROUND: Final = (SEND, RECEIVE, DELETE, CHANGE_VISIBILITY, PUT, HEAD)
_MOST_PASSES: Final = 5


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

    seconds: that it lasts at least, however soon it is to end.
    """

    name = "long_archive_outage"

    def __init__(self, proxy: Proxy, *, seconds: float) -> None:
        self.count = 0
        self._proxy = proxy
        self._seconds = seconds

    @contextmanager
    def going_on(self, random: Random) -> Iterator[None]:
        """Refuse connections, or each call."""
        ends = time.monotonic() + self._seconds
        refusing: list[CallFault | Refused] = [
            Refused(self._proxy, "s3"),
            CallFault("", self._proxy, S3_OPERATIONS, _slow_down, shares=(1.0,)),
        ]
        with random.choice(refusing).going_on(random):
            self.count += 1
            yield
            time.sleep(max(0.0, ends - time.monotonic()))


async def _slow_down(fault: CallFault, call: Call) -> Answer:  # noqa: ARG001  as every fault is told which one it is
    return refused(call, SLOW_DOWN[call.service])


class Kill:
    """A Fault: a process is killed before a call takes effect, or after it and before the answer.

    kill: of a program and a number of its processes; whether it did. The client is named in the proxy's calls alike.
    """

    def __init__(self, proxy: Proxy, operation: str, *, after: bool, kill: Callable[[str, int], bool]) -> None:
        self.name = f"kill_{'after' if after else 'before'}_{operation}"
        self.count = 0
        self._after = after
        self._kill = kill
        self._passes = 0
        self._fault = CallFault("", proxy, frozenset({operation}), self._answer, shares=(1.0,))

    @contextmanager
    def going_on(self, random: Random) -> Iterator[None]:
        """Kill one, after some calls have gone well."""
        self._passes = random.choice([0, 0, random.randint(1, _MOST_PASSES)])
        with self._fault.going_on(random):
            yield

    async def _answer(self, fault: CallFault, call: Call) -> Answer | None:  # noqa: ARG002  as above
        self._passes -= 1
        if self._passes != -1:
            return await call.forward()
        answer = await call.forward() if self._after else None
        if answer is not None and not call.may_lose(answer):
            self._passes = 0  # the next one
            return answer
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(None, self._kill, call.program, call.number):
            self._passes = 0
            return answer or await call.forward()
        self.count += 1
        return None
