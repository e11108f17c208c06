"""One worker's process, as its parent sees it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from processing_requests.workers import messages
from processing_requests.workers.channel import Channel
from processing_requests.workers.messages import HealthAnswer, MetricsAnswer, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from processing_requests.settings import IntakeSettings
    from processing_requests.workers.connection_counts import ConnectionCounts
    from processing_requests.workers.messages import Family, FromWorker, ToWorker

_WORKER: Final = "processing_requests.workers.worker"
# As long as the private port gives the loop of a service that is one process.
ANSWER_SECONDS: Final = 2.0
# To import its modules and open its queue, on a machine that has other things to do.
_START_SECONDS: Final = 60.0
# To close what it has opened and end, when it has said that all is answered.
_END_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.01


class State(StrEnum):
    """In which a worker is; in this order."""

    STARTING = "starting"
    SERVING = "serving"
    ENDING = "ending"


class Child:
    """A worker: a new interpreter, which has the listening socket and one end of a channel, and knows no more.

    A new interpreter and not a fork: the parent has an event loop and threads when it starts one, and a fork copies
    locks that they hold. A session of its own: a Ctrl-C in a terminal reaches the parent only, which stops its workers.

    number: from 1 on; what its log lines say, and its place among the connection counts.
    Raises OSError where the system lets no process be started.
    has_served: whether it has come as far as to take requests. has_drained: whether it has answered all of them.
    cannot_start: what is wrong with its settings, where they are why it ends.
    """

    def __init__(self, number: int, listening: socket.socket, counts: ConnectionCounts) -> None:
        self.number: Final = number
        self.state = State.STARTING
        self.has_served = False
        self.has_drained = False
        self.metrics: list[Family] = []  # the last that it told
        self.cannot_start = ""
        self._counts = counts
        self._over = asyncio.Event()
        self._near, far = socket.socketpair()
        self._channel: Channel[ToWorker, FromWorker] | None = None
        self._asked: dict[Question, asyncio.Future[HealthAnswer | MetricsAnswer | None]] = {}
        descriptors = [far.fileno(), listening.fileno(), counts.descriptor]
        with far:
            try:
                self._process = subprocess.Popen(  # noqa: S603  this program's own module
                    [sys.executable, "-P", "-m", _WORKER, *map(str, [number, os.getpid(), *descriptors])],
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},  # with -P: the same modules as here
                    pass_fds=descriptors,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError:
                self._near.close()
                raise

    async def run(self, settings: Callable[[], IntakeSettings]) -> None:
        """Let it serve; return when it has ended.

        settings: gives those that hold when they are sent; later there are `share_tokens`.
        """
        loop = asyncio.get_running_loop()
        bound = loop.call_later(_START_SECONDS, self._kill_unless_started)
        try:
            self._channel = await Channel.open(self._near, messages.FromWorker)
            self._channel.send(messages.Begin(settings()))
            while (message := await self._channel.receive()) is not None:
                self._take(message)
            bound.cancel()
            bound = loop.call_later(_END_SECONDS, self.kill)
            await self._exit()
        finally:
            bound.cancel()
            self.state = State.ENDING
            self._counts.remove(self.number)
            for asked in self._asked.values():
                asked.cancel()
            self._over.set()
            if self._channel is not None:
                await self._channel.close()

    async def health(self) -> HealthAnswer | None:
        """What it says of its health; None where it does not answer in time, because it is stuck or has ended."""
        answer = await self._ask(Question.HEALTH)
        return answer if isinstance(answer, HealthAnswer) else None

    async def refresh_metrics(self) -> None:
        """Bring `metrics` up to date, if it answers in time."""
        await self._ask(Question.METRICS)

    def share_tokens(self, text: str) -> None:
        """Have it take these tokens, and no others."""
        if self._channel is not None:
            self._channel.send(messages.NewTokens(text))

    def terminate(self) -> None:
        """Ask it to answer what has come to it, and end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it now."""
        self._process.kill()

    async def ended(self) -> None:
        """Return when it has ended, and all that it told is known."""
        await self._exit()
        await self._over.wait()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs, negative where a signal has ended it."""
        return self._process.poll()

    @property
    def was_asked(self) -> bool:
        """Whether it has ended because it was told to.

        A signal ends one at once that does not serve yet, or no more.
        """
        return self.exit_code in (0, -signal.SIGTERM, -signal.SIGINT)

    @property
    def has_ended_well(self) -> bool:
        """Whether it has answered what came to it."""
        return self.was_asked and (self.exit_code == 0 or self.has_drained or not self.has_served)

    @property
    def end(self) -> str:
        """Why it has ended."""
        code = self.exit_code or 0
        return self.cannot_start or (signal.Signals(-code).name if code < 0 else f"exit code {code}")

    async def _exit(self) -> None:
        while self.exit_code is None:  # noqa: ASYNC110  not every system has something that tells
            await asyncio.sleep(_LOOK_SECONDS)

    async def _ask(self, question: Question) -> HealthAnswer | MetricsAnswer | None:
        """The answer; one for all who ask before it comes, so that nothing piles up before a worker that is stuck."""
        if self._channel is None or self.state is not State.SERVING:
            return None
        asked = self._asked.get(question)
        if asked is None:
            asked = self._asked[question] = asyncio.get_running_loop().create_future()
            self._channel.send(messages.Ask(question))
        await asyncio.wait([asked], timeout=ANSWER_SECONDS)
        return asked.result() if asked.done() and not asked.cancelled() else None

    def _take(self, message: FromWorker) -> None:
        match message:
            case messages.Serving():
                self.state = State.SERVING
                self.has_served = True
            case messages.CannotStart(reason):
                self.cannot_start = reason
            case HealthAnswer():
                self._answered(Question.HEALTH, message)
            case MetricsAnswer(families):
                self.metrics = families
                self._answered(Question.METRICS, message)
            case messages.Served(families):
                self.metrics = families
                self.state = State.ENDING
                self.has_drained = True

    def _answered(self, question: Question, answer: HealthAnswer | MetricsAnswer) -> None:
        asked = self._asked.pop(question)
        if not asked.done():
            asked.set_result(answer)

    def _kill_unless_started(self) -> None:
        if self.state is State.STARTING:
            self.kill()
