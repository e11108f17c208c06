"""What `status` asks, of whom, and what the answers come to."""

from __future__ import annotations

import asyncio
import os
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from checkpoint.message_queue.port import QueueUnavailableError
from command_line.running import ExitCode
from command_line.services import ServiceState, ask_service

if TYPE_CHECKING:
    import aiohttp

    from checkpoint.message_queue.admin import AdminQueue
    from checkpoint.message_queue.port import Depth

# A directory of 100,000 files is counted in about a tenth of a second.
_COUNTING_SECONDS: Final = 0.5
_COUNTING_PAUSE_SECONDS: Final = 10.0
_QUEUE_SECONDS: Final = 15.0  # longer than a call to SQS takes with its retries
_OBJECT: Final = re.compile(r"sqs_message_\d+(_[0-9a-f]+)?\.json")


class Count(NamedTuple):
    """Objects in the archive. is_whole: whether all were counted; there are more where it is False."""

    objects: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Status:
    """What was answered at one moment.

    intake, broker: None where no URL says where to ask. depth: the reason where the queue did not answer.
    count: the objects in the archive; None where to count them is not cheap, or they cannot be seen.
    posted_rate, archived_rate: e-mails per second since the answers before; None without such.
    """

    at: datetime
    intake: ServiceState | None
    broker: ServiceState | None
    depth: Depth | str
    count: Count | None
    posted_rate: float | None = None
    archived_rate: float | None = None

    @property
    def code(self) -> ExitCode:
        """0 where all is well; 1 where anything asked is not ready, or there are dead letters; 3 without any answer."""
        services = [service for service in (self.intake, self.broker) if service is not None]
        if isinstance(self.depth, str):
            unasked = all(service.problem for service in services)
            return ExitCode.UNAVAILABLE if unasked else ExitCode.NOT_AS_ASKED
        if self.depth.dead_letters or not all(service.is_ready for service in services):
            return ExitCode.NOT_AS_ASKED
        return ExitCode.AS_ASKED

    @property
    def has_counts(self) -> bool:
        """Whether a service said what it has counted, so that another look would tell a rate."""
        return any(service is not None and service.messages is not None for service in (self.intake, self.broker))

    def as_json(self) -> dict[str, object]:
        """For scripts. Times are in seconds, rates per second."""
        return {
            "time": self.at.isoformat(timespec="seconds"),
            "ok": self.code is ExitCode.AS_ASKED,
            "intake": _service(self.intake, self.posted_rate),
            "broker": _service(self.broker, self.archived_rate),
            "queue": {"error": self.depth} if isinstance(self.depth, str) else {"error": None, **self.depth._asdict()},
            "archive": {
                "objects": self.count.objects if self.count else None,
                "counted_all": self.count.is_whole if self.count else None,
            },
        }


class Looking:
    """Asks again and again; whatever is away is a part of the answer.

    intake_url, broker_url: of the private ports; empty where there is none to ask. archive_url: what is counted.
    """

    def __init__(
        self, queue: AdminQueue, http: aiohttp.ClientSession, *, intake_url: str, broker_url: str, archive_url: str
    ) -> None:
        self._queue = queue
        self._http = http
        self._urls = (intake_url, broker_url)
        self._archive = _local_directory(archive_url)
        self._last: Status | None = None
        self._count: Count | None = None
        self._count_again_at = 0.0

    async def look(self) -> Status:
        """Ask everybody at once. Raises nothing for what is away."""
        intake_url, broker_url = self._urls
        intake, broker, depth, count = await asyncio.gather(
            self._service(intake_url), self._service(broker_url), self._depth(), self._counted()
        )
        last = self._last
        self._last = Status(
            datetime.now(UTC),
            intake,
            broker,
            depth,
            count,
            posted_rate=intake.rate_since(last.intake) if intake and last else None,
            archived_rate=broker.rate_since(last.broker) if broker and last else None,
        )
        return self._last

    async def _service(self, url: str) -> ServiceState | None:
        return await ask_service(self._http, url) if url else None

    async def _depth(self) -> Depth | str:
        try:
            async with asyncio.timeout(_QUEUE_SECONDS):
                return await self._queue.depth()
        except QueueUnavailableError as error:
            return str(error)
        except TimeoutError:
            return f"no answer within {_QUEUE_SECONDS:g} s"

    async def _counted(self) -> Count | None:
        if self._archive and time.monotonic() >= self._count_again_at:
            self._count = await asyncio.to_thread(_count, self._archive, _COUNTING_SECONDS)
            self._count_again_at = time.monotonic() + (_COUNTING_PAUSE_SECONDS if _is_long(self._count) else 0)
        return self._count


def _is_long(count: Count | None) -> bool:
    return count is not None and count.objects > 10_000  # noqa: PLR2004  some ten milliseconds


def _local_directory(url: str) -> str:
    """The path of an archive of local files; empty for any other, where to list it costs requests."""
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme.lower() == "file" else ""


def _count(directory: str, seconds: float) -> Count | None:
    """Objects by their names, for as long as that; None where the directory cannot be listed."""
    deadline = time.monotonic() + seconds
    objects = 0
    try:
        with os.scandir(directory) as entries:
            for place, entry in enumerate(entries):
                objects += _OBJECT.fullmatch(entry.name) is not None
                if not place % 1000 and time.monotonic() > deadline:
                    return Count(objects, is_whole=False)
    except OSError:
        return None
    return Count(objects, is_whole=True)


def _service(state: ServiceState | None, rate: float | None) -> dict[str, object] | None:
    if state is None:
        return None
    return {
        "error": state.problem or None,
        "ready": state.is_ready,
        "faults": dict(state.faults),
        "warnings": dict(state.warnings),
        "version": state.version or None,
        "messages": state.messages,
        "rate": None if rate is None else round(rate, 1),
    }
