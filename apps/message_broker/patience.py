"""The archive's outages, waited out."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from checkpoint.archive.archive import NamesTakenError
from checkpoint.archive.port import ArchiveUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.archive.archive import Archive, PutResult
    from checkpoint.email import Email
    from checkpoint.operations.health import Health

ARCHIVING: Final = "archive"
_FIRST_SECONDS: Final = 0.25
_CAP_SECONDS: Final = 30.0


def backoff(attempt: int) -> float:
    """Seconds before the next attempt (0 is the first): exponential, capped, with full jitter.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    return random.uniform(0, min(_CAP_SECONDS, _FIRST_SECONDS * 2 ** min(attempt, 16)))  # noqa: S311  no secret


class PatientArchive:
    """Keeps e-mails, however long the store is away; the first success wakes everyone who waits."""

    def __init__(self, archive: Archive, *, health: Health, delay: Callable[[int], float] = backoff) -> None:
        self._archive = archive
        self._health = health
        self._delay = delay
        self._is_up = asyncio.Event()
        self._is_up.set()
        self._given_up = False

    async def put(self, email: Email) -> PutResult:
        """Return when the e-mail's object is durable.

        Raises NamesTakenError, and ArchiveUnavailableError only after `give_up`.
        """
        attempt = 0
        while True:
            try:
                kept = await self._archive.put(email)
            except ArchiveUnavailableError as error:
                self._health.unhealthy(ARCHIVING, str(error))
                self._is_up.clear()
                if self._given_up:
                    raise
                await self._wait(self._delay(attempt))
                attempt += 1
            except NamesTakenError:
                self._answered()
                raise
            except BaseException:
                self._is_up.set()  # nobody tries again for this e-mail: the next one finds out
                raise
            else:
                self._answered()
                return kept

    async def wait_until_up(self) -> None:
        """Return at once, unless the last attempt failed."""
        await self._is_up.wait()

    def give_up(self) -> None:
        """Try once more what waits, and wait no longer."""
        self._given_up = True
        self._is_up.set()

    def _answered(self) -> None:
        self._health.healthy(ARCHIVING)
        self._is_up.set()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._is_up.wait()
        except TimeoutError:
            pass
