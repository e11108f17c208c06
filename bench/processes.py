"""Processes that are measured: on which cores they run, what CPU time they took, how much memory they had at most.

All of it is what Linux says in /proc: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")  # per second
# Places in /proc/PID/stat, counted from the one that follows the name in brackets.
_PARENT, _USER_TICKS, _SYSTEM_TICKS = 1, 11, 12


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where."""

    server: frozenset[int]
    load: frozenset[int]

    @property
    def shared(self) -> bool:
        """Whether server and load have to share one core, because there is no other."""
        return bool(self.server & self.load)

    @property
    def all(self) -> frozenset[int]:
        """Both."""
        return self.server | self.load


def cores() -> Cores:
    """The first core that this process may use for the server, the last one for the load."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(frozenset(usable[:1]), frozenset(usable[-1:]))


@contextmanager
def started_on(these: frozenset[int]) -> Iterator[None]:
    """What is started meanwhile runs on these cores, and so does what it starts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, these)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def tree(root: int) -> list[int]:
    """A process and all that descend from it, as far as their parents live."""
    children: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            children.setdefault(int(_stat(path.name)[_PARENT]), []).append(int(path.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def busy_cores(seconds: float) -> float:
    """How many cores are busy now, looked at for so long."""
    before = _busy_seconds()
    time.sleep(seconds)
    return (_busy_seconds() - before) / seconds


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of CPU time. system: of it, within the system. other_threads: of it, not of a process's first thread."""

    all: float
    system: float
    other_threads: float

    def since(self, before: Cpu) -> Cpu:
        """What was taken since then."""
        return Cpu(self.all - before.all, self.system - before.system, self.other_threads - before.other_threads)


def cpu(processes: list[int]) -> Cpu:
    """What they have taken from their start to now."""
    every, first = [_stat(str(each)) for each in processes], [_stat(f"{each}/task/{each}") for each in processes]
    total = sum(map(_ticks, every))
    system = sum(int(fields[_SYSTEM_TICKS]) for fields in every)
    return Cpu(total / _TICKS, system / _TICKS, (total - sum(map(_ticks, first))) / _TICKS)


def peak_bytes(processes: list[int]) -> int:
    """The most memory that each had resident at any time, added up; pages that they share count for each."""
    total = 0
    for process in processes:
        status = (PROC / str(process) / "status").read_text()
        total += 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return total


def _busy_seconds() -> float:
    """User, nice and system time of the machine."""
    return sum(map(int, (PROC / "stat").read_text().split()[1:4])) / _TICKS


def _ticks(fields: list[str]) -> int:
    return int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])


def _stat(of: str) -> list[str]:
    return (PROC / of / "stat").read_text().rpartition(")")[2].split()
