"""An intake over a queue at the test's word, spoken to in-process or over a socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from checkpoint.message_queue.memory import MemoryQueue
from checkpoint.message_queue.port import EntryFault, Limits
from checkpoint.operations.health import Health
from checkpoint.operations.tally import Tally
from processing_requests.body import BodyReader
from processing_requests.http_server import listen, serve_http
from processing_requests.metrics import Metrics
from processing_requests.processing_requests import Intake, build_app
from processing_requests.sending import SENDING, Sending
from processing_requests.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping, Sequence

NOW = 1_706_213_694
SKEW = 300
TOKEN = "foobar"
DEADLINE = 10.0
JSON = {"Content-Type": "application/json"}


def email(**members: object) -> dict[str, object]:
    """The seed's e-mail, with other or further members."""
    return {
        "email_subject": "Your Subject",
        "email_sender": "Your Sender",
        "email_timestream": "1706213694",
        "email_content": "Your Content",
        **members,
    }


def posted(data: object = None, token: object = TOKEN) -> bytes:
    """A request's body as a client would write it; the seed's where nothing else is given."""
    return json.dumps({"data": email() if data is None else data, "token": token}).encode()


def kept(data: object) -> bytes:
    """What must be queued for an e-mail: the seed's words, of which every test is a check."""
    return json.dumps(data, ensure_ascii=False).encode()


class WatchedQueue:
    """A queue in memory that shows each call, and fails or waits as a test says.

    calls: the bodies of each call, one that failed too.
    flowing: clear it, and calls wait for it.
    bad: bodies that the queue refuses, each alone.
    error: what a whole call raises, where it is not the ordinary `queue.unavailable`.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.memory = MemoryQueue(limits=limits)
        self.calls: list[list[bytes]] = []
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.bad: set[bytes] = set()
        self.error: Exception | None = None
        self.probes = 0

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        self.calls.append(list(bodies))
        await self.flowing.wait()
        if self.error:
            raise self.error
        await self.memory.send([body for body in bodies if body not in self.bad])
        return [EntryFault("It is bad.") if body in self.bad else None for body in bodies]

    async def probe(self) -> None:
        self.probes += 1
        await self.memory.probe()


@dataclass
class Bench:
    """An intake and all around it; the fields are its settings, to be changed before `app` is asked for."""

    limits: Limits = Limits(entries=10, payload_bytes=262_144)  # noqa: RUF009 (frozen)
    token: str = TOKEN
    max_bytes: int = 262_144
    max_bytes_held: int = 64 * 1024 * 1024
    body_timeout_seconds: float = DEADLINE
    header_timeout_seconds: float = DEADLINE
    queue_timeout_seconds: float = DEADLINE
    max_waiting: int = 4096
    max_waiting_bytes: int = 64 * 1024 * 1024
    now: float = NOW
    metrics: Metrics = field(default_factory=Metrics)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.queue = WatchedQueue(self.limits)
        self.health = Health(untried=[SENDING])
        self.tokens = Tokens(self.token)
        self.tally = Tally("answered")
        self.sending = Sending(
            self.queue,
            health=self.health,
            metrics=self.metrics,
            timeout_seconds=self.queue_timeout_seconds,
            max_waiting=self.max_waiting,
            max_waiting_bytes=self.max_waiting_bytes,
        )
        self.bodies = BodyReader(
            max_bytes=self.max_bytes,
            max_bytes_held=self.max_bytes_held,
            timeout_seconds=self.body_timeout_seconds,
        )
        intake = Intake(
            tokens=self.tokens,
            bodies=self.bodies,
            sending=self.sending,
            metrics=self.metrics,
            tally=self.tally,
            clock_skew_seconds=SKEW,
            now=lambda: self.now,
        )
        self.app = build_app(intake)

    @property
    def queued(self) -> list[bytes]:
        """What the queue holds."""
        return self.queue.memory.bodies

    async def request(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """One request, in-process; what the app lets out, the test sees raised."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://intake") as client:
            return await client.request(method, path, **rest)

    async def post(
        self, body: bytes | AsyncIterable[bytes] | None = None, headers: Mapping[str, str] = JSON
    ) -> httpx.Response:
        """POST /process_request, the seed's where no body is given."""
        return await self.request(
            "POST", "/process_request", content=posted() if body is None else body, headers=headers
        )

    async def post_data(self, **members: object) -> httpx.Response:
        """Post the seed's e-mail with other or further members."""
        return await self.post(posted(email(**members)))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait on a condition, with a deadline."""
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110  the condition is a look at memory, which tells nobody
                await asyncio.sleep(0.001)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Serve on a loopback port, which it gives; stop as the service does."""
        with listen("127.0.0.1", 0) as listening:
            port: int = listening.getsockname()[1]
            serving = asyncio.create_task(
                serve_http(
                    self.app,
                    listening,
                    stop=self.stop,
                    header_timeout_seconds=self.header_timeout_seconds,
                    drain_seconds=1,
                )
            )
            try:
                yield port
            finally:
                self.stop.set()
                await serving
                await self.sending.drain()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A raw connection; whatever waits on it has a deadline."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(DEADLINE):
            yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def head(length: int | None, *extra: str, target: str = "/process_request") -> bytes:
    """A POST's head; chunked where it has no length."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"POST {target} HTTP/1.1", "Host: intake", "Content-Type: application/json", framing, *extra]
    return "\r\n".join([*lines, "", ""]).encode()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Read one answer: status, headers in lower case, body."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    return int(lines[0].split()[1]), headers, await reader.readexactly(int(headers.get("content-length", "0")))


@contextmanager
def logged() -> Iterator[list[Any]]:
    """Every line that Checkpoint logs, at any level, whatever the logging was set to before."""
    configuration = structlog.get_config()
    lines = structlog.testing.LogCapture()
    try:
        structlog.configure(
            processors=[lines], wrapper_class=structlog.make_filtering_bound_logger(0), cache_logger_on_first_use=False
        )
        yield lines.entries
    finally:
        structlog.configure(**configuration)
