"""How much is free on the volume of a file, for a metric."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Less than a worker has to answer its parent, and far less than a scrape may take.
_PATIENCE_SECONDS: Final = 1.0


class Free:
    """Asks how much is free, in bytes or inodes; for any thread.

    On a network file system that is away, the system does not answer, for hours perhaps. Then nothing is told, and
    nobody else asks, so that all other metrics can still be read: they say what is wrong.

    ask: gives the number, or None where there is none, or raises OSError.
    """

    def __init__(self, ask: Callable[[], int | None]) -> None:
        self._ask = ask
        self._asking: threading.Thread | None = None
        self._lock = threading.Lock()

    def read(self) -> int | None:
        """The number; None where it is not known within a second."""
        told: list[int | None] = []

        def ask() -> None:
            try:
                told.append(self._ask())
            except OSError:  # the directory is not made yet, or its mount is lost
                return

        with self._lock:
            if self._asking is not None and self._asking.is_alive():
                return None
            asking = self._asking = threading.Thread(target=ask, daemon=True)
            asking.start()
        asking.join(_PATIENCE_SECONDS)
        return told[0] if told else None
