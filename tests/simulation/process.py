"""A simulated process: a program on a machine that can be stopped, killed, paused and slowed, and started again."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from random import Random
from typing import TYPE_CHECKING, Any, Final

from simulation.awaits import suspended_at
from simulation.loop import ProcessLoop

if TYPE_CHECKING:
    from simulation.awaits import Point
    from simulation.world import World

_EPOCH: Final = 1_750_000_000.0
# After SIGTERM a service has 20 seconds for its work and a few for the rest; then a supervisor kills it.
_LONGEST_STOP_SECONDS: Final = 45.0
_SIGHTINGS: Final = (1, 1, 1, 2, 4, 10)
_SHARE_OF_LOOKS: Final = 0.5  # to look where a process waits takes longer than to run it


class SimulatedClock:
    """A machine's clock: wrong by `offset` seconds, from which it may jump. Its monotonic one is never wrong."""

    def __init__(self, world: World, began: float) -> None:
        self.offset = 0.0
        self._scheduler = world.scheduler
        self._began = began

    def time(self) -> float:
        return _EPOCH + self._scheduler.now + self.offset

    def monotonic(self) -> float:
        return self._began + self._scheduler.now


class Process(ABC):
    """One program. name: such as `broker-1`. role: `intake` or `broker`.

    loop: of the process that runs now, None where none does. deaths: places where tasks waited when it was killed.
    """

    def __init__(self, world: World, name: str, role: str) -> None:
        self.name = name
        self.role = role
        self.random = Random(f"{name} {world.plan.seed}")
        self.clock = SimulatedClock(world, self.random.uniform(0, 1e6))
        self.loop: ProcessLoop | None = None
        self.world = world
        self.stop = asyncio.Event()
        self.is_paused = False
        self.slow_seconds = 0.0
        self.was_slowed = False
        self.busy_until = 0.0
        self._main: asyncio.Task[Any] | None = None
        self._is_stopping = False
        self._down_seconds = 1.0
        self._stays_down = False
        self._armed: Point | None = None
        self._sightings = 0

    @abstractmethod
    async def program(self) -> None:
        """What the process does until `stop` is set."""

    @abstractmethod
    def faults(self) -> str:
        """Why its private port would say that it is not ready, or what it still has; empty where all is well."""

    @abstractmethod
    def gone(self) -> None:
        """Called when it has ended, however: its connections break."""

    @property
    def is_up(self) -> bool:
        return self.loop is not None

    def start(self) -> None:
        """Start it, where it does not run."""
        if self.loop is not None or self._stays_down:
            return
        self.world.trace(self.name, "starts")
        self.stop = asyncio.Event()
        self.is_paused = self._is_stopping = False
        # It has no more of a loop than what the services call.
        self.loop = ProcessLoop(self.name, self.world.scheduler, self.random, self._unhandled)  # type: ignore[abstract]
        self._main = self.loop.create_task(self.program())

    def terminate(self, down_seconds: float, *, for_good: bool = False) -> None:
        """SIGTERM; it is started again so many seconds after it has ended."""
        if self.loop is None or self._is_stopping:
            return
        self.world.trace(self.name, "SIGTERM")
        self._is_stopping, self._down_seconds, self._stays_down = True, down_seconds, for_good
        self.was_slowed = bool(self.is_paused or self.slow_seconds)
        self.loop.deliver(self.stop.set)
        self.world.scheduler.after(_LONGEST_STOP_SECONDS, self._stopped_in_time, self.loop)

    def kill(self, down_seconds: float) -> None:
        """SIGKILL, a power cut: it is gone at the places where it waits."""
        if self.loop is None:
            return
        self.world.crashed_at.update(suspended_at(self.loop.tasks))
        self.world.trace(self.name, "is killed")
        self._end(down_seconds)

    def arm(self, place: Point, random: Random, down_seconds: float) -> None:
        """Kill it as soon as one of its tasks waits at a place of its code, perhaps not for the first time."""
        self._armed, self._sightings, self._down_seconds = place, random.choice(_SIGHTINGS), down_seconds

    def disarm(self) -> None:
        self._armed = None

    def run_round(self, now: float) -> None:
        """As the scheduler asks."""
        loop = self.loop
        assert loop is not None
        loop.run_round(now)
        if self.slow_seconds:
            self.busy_until = now + self.random.uniform(0, self.slow_seconds)
        if self._armed is not None and self.random.random() < _SHARE_OF_LOOKS:
            places = suspended_at(loop.tasks)
            if self._armed in places:
                self._sightings -= 1
                if self._sightings <= 0:
                    self._armed = None
                    self.world.count("crash_at_await")
                    self.kill(self._down_seconds)
                    return
        assert self._main is not None
        if self._main.done():
            error = None if self._main.cancelled() else self._main.exception()
            if error is not None or not self._is_stopping:
                self.world.error(f"{self.name} ended by itself: {error!r}")
            self.world.trace(self.name, "has ended")
            self._end(self._down_seconds)

    def _end(self, down_seconds: float) -> None:
        assert self.loop is not None
        self.loop.end()
        self.world.graves.append(self.loop)
        self.loop = None
        self.busy_until = 0.0
        self.gone()
        self.world.scheduler.after(down_seconds, self.start)

    def _stopped_in_time(self, loop: ProcessLoop) -> None:
        if self.loop is not loop:
            return
        if not self.was_slowed and not self.is_paused and not self.slow_seconds:
            self.world.error(f"{self.name} did not stop within {_LONGEST_STOP_SECONDS:g} s of SIGTERM")
        self.kill(self._down_seconds)

    def _unhandled(self, context: dict[str, Any]) -> None:
        self.world.error(f"{self.name}: {context.get('message')}: {context.get('exception')!r}")
