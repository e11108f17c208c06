"""Watches a run from outside: when objects appeared, whether one ever changed, and how much memory processes took."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.services import Fleet
    from chaos.world import World

_MEMORY_SECONDS: Final = 0.25
_SHORTEST_PAUSE: Final = 0.3
# A look at a large archive takes long; then it is looked at less often, so that it takes a tenth of one processor.
_PAUSE_PER_LOOK: Final = 9


class Observer:
    """stored_at: by identity, when its object was first seen. changed: names of objects that changed or went away.

    memory: by program, the highest resident memory of a process, in bytes.
    """

    def __init__(self, world: World, fleet: Fleet) -> None:
        self._world = world
        self._fleet = fleet
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self.stored_at: dict[str, float] = {}
        self.changed: list[str] = []
        self.memory: dict[str, int] = {}
        self.errors: list[BaseException] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch while the body runs."""
        threads = [threading.Thread(target=each, daemon=True) for each in (self._watch_objects, self._watch_memory)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()

    def look(self) -> dict[str, str]:
        """The archive of now: the SHA-256 of each object's bytes, by its name."""
        with self._lock:
            objects = self._world.objects()
            now = time.monotonic()
            for name, digest in objects.items():
                if self._known.get(name, digest) != digest:
                    self.changed.append(name)
                self.stored_at.setdefault(digest, now)
            self.changed += self._known.keys() - objects.keys()
            self._known = objects
            return objects

    def _watch_objects(self) -> None:
        pause = 0.0
        while not self._stopped.wait(pause):
            began = time.monotonic()
            self.look()
            pause = max(_SHORTEST_PAUSE, _PAUSE_PER_LOOK * (time.monotonic() - began))

    def _watch_memory(self) -> None:
        while not self._stopped.wait(_MEMORY_SECONDS):
            for member in self._fleet.members:
                for place, pid in enumerate(member.pids()):
                    name = f"{member.program} worker" if place else member.program
                    self.memory[name] = max(self.memory.get(name, 0), _highest_memory(pid))


def _highest_memory(pid: int) -> int:
    """In bytes; 0 where the process is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
