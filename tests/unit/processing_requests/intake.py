"""The intake as a test sees it: the real service over a fake queue, and a client of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx

from checkpoint.message_queue.port import Limits
from clocks import ManualClock
from processing_requests.http.server import listen
from processing_requests.service import build
from processing_requests.settings import IntakeSettings
from unit.processing_requests.in_process import InProcess
from unit.processing_requests.posted_emails import JSON, email, posted
from unit.processing_requests.waiting import DEADLINE
from unit.processing_requests.watched_queue import WatchedQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping

    from checkpoint.operations.tracing import Tracing

NOW: Final = 1_706_213_694
_LIMITS: Final = Limits(entries=10, payload_bytes=262_144, message_bytes=262_144)
# A timeout that a test does not mean must not end it on a slow machine.
_PATIENT: Final[dict[str, Any]] = {
    "header_timeout_seconds": DEADLINE,
    "body_timeout_seconds": DEADLINE,
    "queue_timeout_seconds": DEADLINE,
    "drain_seconds": 1,
    "log_level": "debug",
}


class Intake:
    """An intake, and a client of it.

    limits: the queue's. tracing: None for an intake without traces. settings: fields of IntakeSettings.
    """

    def __init__(self, limits: Limits = _LIMITS, *, tracing: Tracing | None = None, **settings: Any) -> None:
        self.settings = IntakeSettings(**(_PATIENT | settings))
        self.queue = WatchedQueue(limits)
        self.clock = ManualClock(NOW)
        self.service = build(self.settings, self.queue, self.clock, tracing=tracing)
        self.service.connections.start()
        self.stop = asyncio.Event()

    @property
    def queued(self) -> list[bytes]:
        """What is on the queue."""
        return self.queue.bodies

    @property
    def waiting(self) -> int:
        """How many e-mails wait for the queue."""
        return self.service.sender.waiting

    @property
    def arriving_bytes(self) -> float | None:
        """How much has arrived of unfinished bodies."""
        return self.metric("checkpoint_bodies_arriving_bytes")

    def metric(self, name: str, **labels: str) -> float | None:
        """A metric's value; None where there is none."""
        return self.service.metrics.registry.get_sample_value(name, labels)

    async def request(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """One request, in-process."""
        transport = InProcess(self.service.connections)
        async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:
            return await client.request(method, path, **rest)

    async def post(
        self, body: bytes | AsyncIterable[bytes] | None = None, headers: Mapping[str, str] = JSON
    ) -> httpx.Response:
        """POST /process_request, the assignment's where no body is given."""
        return await self.request(
            "POST", "/process_request", content=posted() if body is None else body, headers=headers
        )

    async def post_data(self, **members: object) -> httpx.Response:
        """Post the assignment's e-mail with other or further members."""
        return await self.post(posted(email(**members)))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Serve on a loopback port, which it gives; stop as the service does."""
        with listen("127.0.0.1", 0) as listening:
            port: int = listening.getsockname()[1]
            serving = asyncio.create_task(self.service.serve(listening, self.stop))
            try:
                yield port
            finally:
                self.stop.set()
                await serving
