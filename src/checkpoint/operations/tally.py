"""What a service did, in one line now and then: the log's summary."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

import structlog

_log = structlog.get_logger()

_EVERY_SECONDS: Final = 60.0


class Tally:
    """Counts outcomes, and logs those since the last line."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._counts: Counter[str] = Counter()

    def count(self, outcome: str) -> None:
        """One more of an outcome."""
        self._counts[outcome] += 1

    def report(self) -> None:
        """Log what was counted since the last report, if anything was."""
        if self._counts:
            _log.info(self._event, **self._counts)
            self._counts = Counter()

    async def report_now_and_then(self) -> None:
        """Report every minute, until cancelled; then what is left."""
        try:
            while True:
                await asyncio.sleep(_EVERY_SECONDS)
                self.report()
        finally:
            self.report()
