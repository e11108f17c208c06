"""The look at the archive before anything is received: at the start of an outage no message is touched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checkpoint.archive.port import ArchiveUnavailableError
from message_broker.circuit_breaker import ARCHIVE

if TYPE_CHECKING:
    from checkpoint.archive.archive import Archive
    from checkpoint.clock import Random
    from checkpoint.operations.health import Health

_SHORTEST_WAIT_SECONDS: Final = 0.5
_LONGEST_WAIT_SECONDS: Final = 1.5


@dataclass(eq=False, kw_only=True)
class ArchiveProbe:
    """Asks a store that can tell whether it is available; any other counts as available until a put shows otherwise."""

    archive: Archive
    health: Health
    random: Random

    async def until_available(self) -> None:
        """Return once the archive is available; ask about every second, and report to the health meanwhile."""
        while True:
            try:
                await self.archive.probe()
            except ArchiveUnavailableError as error:
                self.health.unhealthy(ARCHIVE, str(error))
                await asyncio.sleep(self.random.uniform(_SHORTEST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS))
            else:
                self.health.healthy(ARCHIVE)
                return
