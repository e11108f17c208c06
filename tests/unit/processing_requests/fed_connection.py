"""A connection without a socket: bytes go in, in pieces of any size, and what it hears and answers comes out."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from clocks import ManualClock
from processing_requests import answers
from processing_requests.http.bounds import Bounds
from processing_requests.http.open_connections import OpenConnections
from processing_requests.http.response import make

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processing_requests.answers import Refusal
    from processing_requests.http.request import Request
    from processing_requests.http.response import Response
    from processing_requests.http.routes import Client, Routes

_MAX_BODY_BYTES: Final = 2**70  # whatever is declared may come
_OK: Final = make(200, "text/plain", b"")  # without a body, so that it is the same to HEAD
_ANSWER: Final = re.compile(rb"HTTP/1\.1 (\d{3}) .*?\r\n\r\n", re.DOTALL)
_LENGTH: Final = re.compile(rb"\r\nContent-Length: (\d+)\r\n")
_PATIENT: Final = Bounds(
    head_seconds=60, body_seconds=60, answer_seconds=60, drain_seconds=60, connections=10, held_bytes=2**30
)


class Heard(NamedTuple):
    """A request that came to its route."""

    method: bytes
    path: bytes
    body: bytes


class Answered(NamedTuple):
    status: int
    closes: bool


@dataclass(slots=True)
class Outcome:
    """What came of a stream of bytes.

    requests: those that came to their route. chunked: for each of them, whether its body came in chunks.
    answers: all final ones, also to what is no request.
    ended: whether the connection was over before the client ended its half.
    """

    requests: list[Heard] = field(default_factory=list)
    chunked: list[bool] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    ended: bool = False

    @property
    def refused_with(self) -> int:
        """The status of what was refused; 0 where nothing was."""
        return next((answer.status for answer in self.answers if answer.status >= 400), 0)

    @property
    def dropped_what_followed(self) -> bool:
        """Whether the last request was chunked, was answered, and the connection ended, as it may then."""
        is_last = bool(self.chunked) and self.chunked[-1] and len(self.answers) == len(self.requests)
        return is_last and self.answers[-1].closes


def feed(pieces: Sequence[bytes], *, answered_later: bool = False) -> Outcome:
    """Send the pieces one after the other, then end the sending half.

    answered_later: whether an answer is given in a later turn of the loop, as that of a queue is.
    """
    return asyncio.run(_feed(pieces, answered_later=answered_later))


async def _feed(pieces: Sequence[bytes], *, answered_later: bool) -> Outcome:
    outcome = Outcome()
    route = _EveryRoute(outcome, answered_later=answered_later)
    connections = OpenConnections(cast("Routes", route), _PATIENT, ManualClock(0), lambda: None)
    connection, transport = connections(), _Transport()
    connection.connection_made(transport)
    for piece in pieces:
        await transport.until_read()
        if transport.is_closing():
            break
        connection.data_received(piece)
    await transport.until_read()
    outcome.ended = transport.is_closing() or transport.has_ended
    if not transport.is_closing() and not connection.eof_received():
        transport.close()
    await transport.until_closed()
    connection.connection_lost(None)
    outcome.answers = _answers(bytes(transport.written))
    return outcome


class _EveryRoute:
    """Where every request leads: whatever its method and path are, it is written down and answered."""

    def __init__(self, outcome: Outcome, *, answered_later: bool) -> None:
        self._outcome = outcome
        self._answered_later = answered_later

    def find(self, request: Request) -> _EveryRoute:  # noqa: ARG002  it is the same for all
        return self

    def begin(self, request: Request) -> Response | int:  # noqa: ARG002  it is the same for all
        return _MAX_BODY_BYTES

    def take(self, request: Request, body: bytes, client: Client) -> None:
        self._outcome.requests.append(Heard(request.method, request.path, body))
        self._outcome.chunked.append(request.length is None)
        if self._answered_later:
            asyncio.get_running_loop().call_soon(client.respond, request, _OK)
        else:
            client.respond(request, _OK)

    def refuse(self, request: Request, refusal: Refusal) -> Response:
        return answers.refused(request.fields, refusal)

    def disconnected(self, request: Request) -> None:
        pass


class _Transport(asyncio.Transport):
    """Takes what is written, and says when it wants to be given something to read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.has_ended = False
        self._is_closing = False
        self._is_reading = True

    async def until_read(self) -> None:
        """Return when it reads, or never will."""
        await self._until(lambda: self._is_reading or self._is_closing)

    async def until_closed(self) -> None:
        """Return when the connection was closed."""
        await self._until(lambda: self._is_closing or self.has_ended)

    async def _until(self, holds: Any) -> None:
        for _ in range(1000):
            await asyncio.sleep(0)
            if holds():
                return
        raise TimeoutError("The connection neither reads nor ends.")

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self._is_closing
        assert not self.has_ended
        self.written += data

    def write_eof(self) -> None:
        self.has_ended = True

    def close(self) -> None:
        self._is_closing = True

    def abort(self) -> None:
        self._is_closing = True

    def is_closing(self) -> bool:
        return self._is_closing

    def pause_reading(self) -> None:
        assert self._is_reading
        self._is_reading = False

    def resume_reading(self) -> None:
        assert not self._is_reading
        self._is_reading = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass


def _answers(written: bytes) -> list[Answered]:
    found = []
    start = 0
    while start < len(written):
        head = _ANSWER.match(written, start)
        assert head, written[start:]
        length = _LENGTH.search(head[0])
        status = int(head[1])
        if status != 100:  # which only who waits for it gets
            found.append(Answered(status, b"\r\nConnection: close\r\n" in head[0]))
        start = head.end() + (int(length[1]) if length else 0)
    return found
