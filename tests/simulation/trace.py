"""What happened, in readable lines, for the replay of one history; nothing is kept otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Trace:
    """Called with who, and what happened. write: takes each line; None: nobody reads."""

    def __init__(self, now: Callable[[], float], write: Callable[[str], None] | None) -> None:
        self._now = now
        self._write = write
        self.is_read = write is not None

    def __call__(self, who: str, what: str) -> None:
        if self._write is not None:
            self._write(f"{self._now():12.3f}  {who:<10}  {what}")
