"""What happens to processes: killed at random, stopped and started in turn, paused past the visibility timeout."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from chaos.services import BROKER, INTAKE, stop_and_wait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from chaos.services import Fleet, Member


class Kill:
    """SIGKILL, to any process but the spared ones, or to a worker."""

    name = "kill"

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.count = 0

    @contextmanager
    def going_on(self, random: Random) -> Iterator[None]:
        """Kill one; the supervisor starts another."""
        member = random.choice([each for each in self._fleet.members if not each.is_spared])
        pids = member.pids()
        if pids:
            self.count += self._fleet.kill(member, random.choice(pids))
        yield


class RollingRestart:
    """SIGTERM in full flow, to each process of one program in turn.

    hung: how many did not end by it.
    """

    name = "rolling_restart"

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.count = 0
        self.hung = 0

    @contextmanager
    def going_on(self, random: Random) -> Iterator[None]:
        """Stop one after the other; each is started again."""
        program = random.choice([INTAKE, BROKER])
        for member in self._fleet.members:
            if member.program == program and not member.is_spared:
                self.count += 1
                if stop_and_wait(member) is None:
                    self.hung += 1
                    self._fleet.kill(member, member.pids()[0])
        yield


class Paused:
    """SIGSTOP, and SIGCONT: a zombie, which goes on with what others have taken over meanwhile.

    of_intakes: when each pause of an intake began and ended; one that still goes on is not there.
    """

    name = "pause"

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._paused: set[Member] = set()
        self.of_intakes: list[tuple[float, float]] = []
        self.count = 0

    @contextmanager
    def going_on(self, random: Random) -> Iterator[None]:
        """Pause one that is not paused yet, mostly a broker."""
        brokers, intakes = self._fleet.brokers, self._fleet.intakes
        members = [each for each in (brokers if random.random() < 0.8 else intakes) if each not in self._paused]
        if not members:
            yield
            return
        member = random.choice(members)
        self._paused.add(member)
        began = time.monotonic()
        pids = [pid for pid in member.pids() if member.send(signal.SIGSTOP, pid=pid)]
        self.count += bool(pids)
        try:
            yield
        finally:
            for pid in pids:  # also a worker whose parent was killed: it may hold the port, or the lock of the file
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            self._paused.discard(member)
            if member in intakes:
                self.of_intakes.append((began, time.monotonic()))
