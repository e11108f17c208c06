"""How many connections each worker has open, in memory that all of them share."""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
from typing import Final, Self

_BYTES: Final = 8
# Of a worker that is not there: nobody waits for it to take a connection.
_ABSENT: Final = 2**64 - 1


class ConnectionCounts:
    """A number per worker. Each worker writes its own; all read all.

    A number is one aligned word of memory, so that no lock is needed: who reads gets the old number or the new one.
    descriptor: of the memory, for another process to open it by.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor: Final = descriptor
        self._memory = mmap.mmap(descriptor, 0)
        self._counts = memoryview(self._memory).cast("Q")

    @classmethod
    def create(cls, workers: int) -> Self:
        """Memory for so many workers, none of which is there yet."""
        if sys.platform == "linux":
            descriptor = os.memfd_create("checkpoint-connections")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.truncate(descriptor, workers * _BYTES)
        counts = cls(descriptor)
        for worker in range(1, workers + 1):
            counts.remove(worker)
        return counts

    def set(self, worker: int, connections: int) -> None:
        """A worker has so many open."""
        self._counts[worker - 1] = connections

    def remove(self, worker: int) -> None:
        """A worker is not there."""
        self._counts[worker - 1] = _ABSENT

    def fewest(self) -> int:
        """The fewest that a worker has."""
        return min(self._counts)

    def close(self) -> None:
        """Give the memory up; for other processes it stays."""
        self._counts.release()
        self._memory.close()
        os.close(self.descriptor)
