"""One soak: a steady load on both services, and samples of their memory meanwhile."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memory import Memory, memory
from steady import SteadyClient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from services import Service

_TOKEN: Final = "foobar"  # noqa: S105  the default on a loopback address
_OBJECTS: Final = "sqs_message_"  # how their names begin
_OBJECT_SECONDS: Final = 10.0  # for which an object is left where it is
_STANDSTILL_SECONDS: Final = 30.0  # in which nothing is archived, after which nothing more is waited for
_POLL_SECONDS: Final = 0.1
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """answered: e-mails, 200, so far. backlog: of these, those that were not archived yet. memory: by program."""

    minutes: float
    answered: int
    backlog: int
    memory: Mapping[str, Memory]


class Soak:
    """A run, from its first sample to its last.

    rate: new e-mails per second. tell: called with each sample, on another thread.
    samples: in the order of time.
    """

    def __init__(
        self, services: Mapping[str, Service], archive: Path, *, rate: float, tell: Callable[[Sample], None]
    ) -> None:
        self.samples: list[Sample] = []
        self.client = SteadyClient(services["processing_requests"].port, rate=rate, token=_TOKEN)
        self._services = services
        self._archive = archive
        self._tell = tell

    @property
    def answered(self) -> int:
        """E-mails that were answered 200."""
        return self.client.answers[_OK]

    async def run(self, *, minutes: float, every_seconds: float) -> None:
        """Post and take samples; then wait until all is archived. Raises ServiceEndedError."""
        removing = asyncio.create_task(self._remove_old_objects())
        posting = asyncio.create_task(self.client.post_until_stopped())
        began = time.monotonic()
        try:
            while (passed := time.monotonic() - began) < minutes * 60:
                await asyncio.sleep(min(every_seconds, minutes * 60 - passed))
                await asyncio.to_thread(self._sample, (time.monotonic() - began) / 60)
        finally:
            self.client.stop()
            await posting
        await asyncio.to_thread(self._settle)
        removing.cancel()

    def archived(self) -> int:
        """E-mails whose object the broker has created, as its metrics say."""
        return self._services["message_broker"].metric('checkpoint_messages_total{outcome="created"}')

    def _settle(self) -> None:
        """Wait while the broker goes on."""
        archived, since = self.archived(), time.monotonic()
        while archived < self.answered and time.monotonic() < since + _STANDSTILL_SECONDS:
            time.sleep(_POLL_SECONDS)
            if (now := self.archived()) > archived:
                archived, since = now, time.monotonic()

    def _sample(self, minutes: float) -> None:
        for service in self._services.values():
            service.check()
        of = {program: memory(service.process.pid) for program, service in self._services.items()}
        answered = self.answered
        self.samples.append(Sample(minutes, answered, max(0, answered - self.archived()), of))
        self._tell(self.samples[-1])

    async def _remove_old_objects(self) -> None:
        while True:
            await asyncio.sleep(_OBJECT_SECONDS / 2)
            await asyncio.to_thread(_remove_older, self._archive, time.time() - _OBJECT_SECONDS)


def _remove_older(archive: Path, than: float) -> None:
    with os.scandir(archive) as entries:
        old = [entry.path for entry in entries if entry.name.startswith(_OBJECTS) and entry.stat().st_mtime < than]
    for path in old:
        os.unlink(path)  # noqa: PTH108  thousands of them
