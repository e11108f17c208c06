"""The fleet: several intakes and brokers as real processes, started again when they end."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from chaos.stepped import AFTER_SECONDS, PASSES, STEP
from e2e.ports import free_port
from e2e.services import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from chaos.world import World

INTAKE: Final = "processing_requests"
BROKER: Final = "message_broker"
VISIBILITY_SECONDS: Final = 3
SLOTS: Final = 8
_LOOK_SECONDS: Final = 0.02
_STOP_SECONDS: Final = 30
# The workers of a parent that was killed answer what has come, and only then give up its address.
_ADDRESS_IN_USE: Final = "Address already in use"
_TESTS: Final = Path(__file__).resolve().parents[1]


@dataclass(eq=False)
class Member:
    """A place in the fleet, with an address of its own, which one process after the other takes.

    is_spared: it is never killed, so that what adds up over a process's life is seen.
    number: of the process of now among those of its program. step: where it is to be killed; empty: nowhere.
    """

    program: str
    settings: Mapping[str, str]
    is_spared: bool = False
    service: Service | None = None
    number: int = 0
    step: str = ""
    was_killed: bool = False
    next_start: float = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def port(self) -> int:
        """Where an intake listens."""
        return int(self.settings["PORT"])

    def pids(self) -> list[int]:
        """Of its process, and of its workers."""
        service = self.service
        if service is None or service.process.poll() is not None:
            return []
        pid = service.process.pid
        with suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            return [pid, *map(int, children.split())]
        return [pid]

    def send(self, number: int, *, pid: int | None = None) -> bool:
        """Send a signal to its process, or to the one of its workers; whether it was there."""
        with self.lock:
            pids = self.pids()
            if not pids or (pid is not None and pid not in pids):
                return False
            if number in {signal.SIGKILL, signal.SIGTERM} and pid in {None, pids[0]}:
                self.was_killed = True
            with suppress(ProcessLookupError):
                os.kill(pid or pids[0], number)
            return True


class Fleet:
    """Starts its members in a world, and again when they end.

    steps: by program, where a process may be killed; empty: nowhere. seed: decides where and when.
    kills: by program; kills_at: by step. exits: by program and exit code, of those that nobody killed.
    """

    def __init__(self, world: World, directory: Path, *, steps: Mapping[str, Sequence[str]], seed: int) -> None:
        self._world = world
        self._directory = directory
        self._steps = steps
        self._decks: dict[str, list[str]] = {}
        self._random = Random(f"fleet {seed}")
        self._stopped = threading.Event()
        self._started: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self._arms_steps = bool(steps)
        self.kills: Counter[str] = Counter()
        self.kills_at: Counter[str] = Counter()
        self.exits: Counter[str] = Counter()
        self.members: list[Member] = []

    @property
    def intakes(self) -> list[Member]:
        """Those that clients post to."""
        return [member for member in self.members if member.program == INTAKE]

    @property
    def brokers(self) -> list[Member]:
        """Those that move messages."""
        return [member for member in self.members if member.program == BROKER]

    @contextmanager
    def running(self, *, intakes: int = 3, brokers: int = 3) -> Iterator[None]:
        """Start everything; the last intake has two workers, and the first one of each program is never killed."""
        for place in range(intakes):
            workers = "2" if place and place == intakes - 1 else "1"
            settings = {"PORT": str(free_port()), "WORKERS": workers}
            self.members.append(Member(INTAKE, settings, is_spared=place == 0))
        for place in range(brokers):
            settings = {"VISIBILITY_SECONDS": str(VISIBILITY_SECONDS), "SLOTS": str(SLOTS), "WAIT_SECONDS": "5"}
            self.members.append(Member(BROKER, settings, is_spared=place == 0))
        self._thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            self._thread.join()
            for member in self.members:
                self._end(member)

    def are_ready(self, *, only_spared: bool = False) -> bool:
        """Whether every process says so; or at least those that are not going to be killed."""
        members = [member for member in self.members if member.is_spared or not only_spared]
        return all(member.service is not None and member.service.is_ready() for member in members)

    def disarm(self) -> None:
        """Kill what is still to be killed at a step, so that nothing dies any more."""
        self._arms_steps = False
        for member in self.members:
            with member.lock:
                if member.step and member.send(signal.SIGKILL):  # otherwise it has just been killed there
                    self.kills[member.program] += 1
                    member.step = ""

    def kill_number(self, program: str, number: int) -> bool:
        """Kill the process of a program that was started as that number, if it is there and not spared."""
        for member in self.members:
            if (member.program, member.number) == (program, number) and not member.is_spared:
                return self.kill(member)
        return False

    def kill(self, member: Member, pid: int | None = None) -> bool:
        """Kill a member's process, or one of its workers; whether it was there."""
        if not member.send(signal.SIGKILL, pid=pid):
            return False
        self.kills[member.program] += 1
        return True

    def _supervise(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            for member in self.members:
                with member.lock:
                    self._look_at(member)

    def _look_at(self, member: Member) -> None:
        now = time.monotonic()
        service = member.service
        if service is None:
            if now >= member.next_start:
                self._start(member)
            return
        code = service.process.poll()
        if code is None:
            return
        if not member.was_killed:
            if code == -signal.SIGKILL and member.step:
                self.kills[member.program] += 1
                self.kills_at[member.step] += 1
            elif _ADDRESS_IN_USE not in service.log:
                self.exits[f"{member.program} {code}"] += 1
        member.service = None
        member.next_start = now + self._random.uniform(0.0, 0.5)

    def _start(self, member: Member) -> None:
        number = member.number = self._started[member.program] = self._started[member.program] + 1
        environment = {
            "HOME": str(self._directory),
            "PATH": os.environ["PATH"],
            "PRIVATE_PORT": str(free_port()),
            "PYTHONPATH": os.pathsep.join([*_python_path(), str(_TESTS)]),
            "PYTHONUNBUFFERED": "1",
        }
        environment |= {**self._world.environment(member.program, number), **member.settings}
        member.step = ""
        if self._arms_steps and not member.is_spared and self._random.random() < 0.9:
            member.step = self._next_step(member.program)
            environment |= {
                STEP: member.step,
                AFTER_SECONDS: f"{self._random.choice([0, 1, 2]) * self._random.random():.2f}",
                PASSES: str(int(self._random.choice([0, 0, 5, 50]) * self._random.random())),
            }
        log = self._directory / f"{member.program}-{number}.log"
        member.was_killed = False
        member.service = Service(member.program, environment, self._directory, log, through="chaos.stepped")

    def _next_step(self, program: str) -> str:
        """Every step once before any comes again."""
        deck = self._decks.setdefault(program, [])
        if not deck:
            deck += self._steps[program]
            self._random.shuffle(deck)
        return deck.pop()

    def _end(self, member: Member) -> None:
        pids = member.pids()
        if member.service is not None:
            member.service.kill()
        for pid in pids[1:]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _python_path() -> list[str]:
    """Where this process was told to look for modules, wherever the services are started."""
    return [str(Path(each).resolve()) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]


def stop_and_wait(member: Member) -> int | None:
    """SIGTERM; the exit code, or None where it did not end in time. It must not be the supervisor that waits."""
    service = member.service
    if service is None or not member.send(signal.SIGTERM):
        return 0
    deadline = time.monotonic() + _STOP_SECONDS
    while (code := service.process.poll()) is None:
        if time.monotonic() > deadline:
            return None
        time.sleep(_LOOK_SECONDS)
    return code
