"""How much is free on the volume of a file, for a metric."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Less than a worker has to answer its parent, and far less than a scrape may take.
_PATIENCE_SECONDS: Final = 1.0


class Free:
    """Asks how much is free, in bytes or inodes; for any thread.

    On a network file system that is away, the system does not answer, for hours perhaps. Then nothing is told, and
    nobody else asks, so that all other metrics can still be read: they say what is wrong. Who reads while it is asked
    gets the same answer.

    ask: gives the number, or None where there is none, or raises OSError.
    """

    def __init__(self, ask: Callable[[], int | None]) -> None:
        self._ask = ask
        self._asking: _Asking | None = None
        self._lock = threading.Lock()

    def read(self) -> int | None:
        """The number; None where it is not known within a second."""
        with self._lock:
            if self._asking is None or not self._asking.thread.is_alive():
                self._asking = _Asking(self._ask)
            asking = self._asking
        return asking.answer()


class _Asking:
    """One question to the system."""

    def __init__(self, ask: Callable[[], int | None]) -> None:
        self._ask = ask
        self._told: int | None = None
        self._ends = time.monotonic() + _PATIENCE_SECONDS
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def answer(self) -> int | None:
        """None where there is none within a second of the question."""
        self.thread.join(max(0.0, self._ends - time.monotonic()))
        return self._told

    def _run(self) -> None:
        try:
            self._told = self._ask()
        except OSError:  # the directory is not made yet, or its mount is lost
            return
