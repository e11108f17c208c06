"""A connection under random events, in any order in which a loop, a client, a queue and a stop may bring them."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from clocks import ManualClock
from processing_requests import answers
from processing_requests.http.bounds import Bounds
from processing_requests.http.open_connections import OpenConnections
from processing_requests.http.response import make
from unit.processing_requests.uvloop_transport import UvloopTransport

if TYPE_CHECKING:
    from processing_requests.answers import Refusal
    from processing_requests.http.connection import Connection
    from processing_requests.http.request import Request
    from processing_requests.http.response import Response
    from processing_requests.http.routes import Client, Routes

_MAX_BODY_BYTES: Final = 300
_TIGHT: Final = Bounds(
    head_seconds=60,
    body_seconds=60,
    answer_seconds=60,
    drain_seconds=60,
    connections=3,
    held_bytes=1_000,
    small_bytes=100,
)
_ANSWER: Final = re.compile(rb"HTTP/1\.1 (\d{3}) (.*?)\r\n\r\n", re.DOTALL)
_LATE: Final = 1e9  # seconds by the loop's clock
_EVENTS: Final = ["send"] * 4 + ["read"] * 8 + ["respond"] * 4 + ["turn"] * 4 + ["take"] * 3
_EVENTS_OF_TROUBLE: Final = ["open", "full", "end", "reset", "late"]


class _Route:
    """Answers each request with its number, now, later or never; some are refused before their body, or held back."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.waiting: list[tuple[Client, Request]] = []

    def find(self, request: Request) -> _Route:  # noqa: ARG002  it is the same for all
        return self

    def begin(self, request: Request) -> Response | int:
        if request.path.startswith(b"/page/"):
            return _answer(request)
        if request.path.startswith(b"/refused/"):
            return answers.refused(request.fields, answers.UNSUPPORTED_MEDIA_TYPE)
        return _MAX_BODY_BYTES

    def take(self, request: Request, body: bytes, client: Client) -> None:
        assert body == b"x" * len(body)
        self.waiting.append((client, request))
        if self._random.random() < 0.3:
            self.respond()

    def respond(self) -> None:
        if self.waiting:
            client, request = self.waiting.pop(self._random.randrange(len(self.waiting)))
            held = answers.refused(request.fields, answers.OVERLOADED)
            for _ in range(self._random.choice([1, 1, 1, 2])):  # pointless is what comes twice
                client.respond(request, held if request.path.startswith(b"/held/") else _answer(request))

    def refuse(self, request: Request, refusal: Refusal) -> Response:
        return answers.refused(request.fields, refusal)

    def disconnected(self, request: Request) -> None:
        pass


def _answer(request: Request) -> Response:
    return make(200, "text/plain", b"", {"Path": request.path.decode()})


class _Client:
    """One that sends whole requests in pieces of any size, and sometimes what is none."""

    def __init__(self, connections: OpenConnections, random: Random) -> None:
        self._random = random
        self._rest = b""
        self._number = 0
        self.methods: list[bytes] = []
        self.paths: list[bytes] = []
        self.is_good = True  # so far
        self.connection: Connection = connections()
        self.transport = UvloopTransport(self.connection)
        self.transport.open()

    @property
    def has_sent_whole_requests(self) -> bool:
        return self.is_good and not self._rest

    def send(self) -> None:
        if self.transport.has_client_ended:
            return
        while not self._rest or self._random.random() < 0.3:
            self._rest += self._request()
        size = self._random.choice([1, 5, 50, 200, 1000, len(self._rest)])
        self.transport.sent.append(self._rest[:size])
        self._rest = self._rest[size:]

    def send_all(self) -> None:
        if self._rest and not self.transport.has_client_ended:
            self.transport.sent.append(self._rest)
            self._rest = b""

    def _request(self) -> bytes:
        random = self._random
        if random.random() < 0.02:
            self.is_good = False
            return random.choice([b"\0", b"GET / HTTP/2.0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\r\n", b"\r"])
        self._number += 1
        method = random.choice([b"POST", b"POST", b"HEAD"])
        path = b"/%s/%d" % (random.choice([b"page", b"refused", b"held", b"ok", b"ok", b"ok"]), self._number)
        self.methods.append(method)
        self.paths.append(path)
        version = random.choice([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"])
        lines = [b"%s %s %s" % (method, path, version), b"Host: a"]
        lines += random.choice([[], [], [], [b"Connection: close"], [b"Connection: keep-alive"]])
        lines += random.choice([[], [], [], [b"Accept: " + b"x" * 600] * 2])
        lines += random.choice([[], [], [b"Expect: 100-continue"]])
        body = b"x" * random.choice([0, 1, 90, 110, 290, 310, 2000])
        if version == b"HTTP/1.1" and random.random() < 0.4:
            lines.append(b"Transfer-Encoding: chunked")
            half = len(body) // 2
            parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]) if part]
            body = b"".join([*parts, b"0\r\n\r\n"])
            if random.random() < 0.05:
                self.is_good = False
                body = body[:-3] + b"!" + body[-3:]
        else:
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, b"", b""]) + body


class _Simulation:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.route = _Route(self.random)
        self.trouble = self.random.choice([0.0, 0.02, 0.1])
        bounds = _TIGHT if self.trouble else replace(_TIGHT, held_bytes=2**30)
        self.connections = OpenConnections(cast("Routes", self.route), bounds, ManualClock(0), lambda: None)
        self.clients: list[_Client] = []

    async def run(self) -> None:
        self.open()
        for _ in range(self.random.choice([20, 100, 300])):
            events = _EVENTS_OF_TROUBLE if self.random.random() < self.trouble else _EVENTS
            await self.happen(self.random.choice(events))
            self.check()
        await self.settle()
        self.check()
        self.check_settled()
        await self.drain()
        assert all(client.transport.is_lost for client in self.clients)
        assert self.connections.count == 0
        assert self.connections.held_bytes == 0
        for client in self.clients:
            check_answers(client, all_of_them=not self.trouble)

    def open(self) -> None:
        self.clients.append(_Client(self.connections, self.random))

    async def happen(self, event: str) -> None:
        client = self.random.choice(self.clients)
        transport = client.transport
        if event == "turn":
            await asyncio.sleep(0)
        elif event in _EVENTS_OF_TROUBLE:
            self.make_trouble(event, client)
        elif event == "send":
            client.send()
        elif event == "read":
            transport.read()
        elif event == "take":
            transport.take(self.random.choice([1, 100, 2**30]))
        else:
            self.route.respond()

    def make_trouble(self, event: str, client: _Client) -> None:
        match event:
            case "open":
                self.open()
            case "full":
                client.transport.room = self.random.choice([0, 0, 10])
            case "end":
                client.transport.has_client_ended = True
            case "reset":
                client.is_good = False
                client.transport.reset()
            case "late":
                self.end_late(self.random.choice(self.connections._states))

    def end_late(self, state: Any) -> None:
        for client in self.clients:
            client.is_good = client.is_good and (client.connection not in state.members or state.name == "held")
        state.end_late(_LATE)

    async def settle(self) -> None:
        """All that is under way comes to its end."""
        for client in self.clients:
            client.send_all()
        for _ in range(400):
            for client in self.clients:
                client.transport.take(2**30)
                client.transport.read()
            self.route.respond()
            self.connections.held.end_late(_LATE)
            await asyncio.sleep(0)

    async def drain(self) -> None:
        self.connections.draining = True
        for act in ("drain", "end_drain", "abort"):
            for client in self.clients:
                if not client.transport.is_lost:
                    getattr(client.connection, act)()
            self.check()
            for _ in range(3):
                await asyncio.sleep(0)

    def check(self) -> None:
        held = 0
        for client in self.clients:
            connection = client.connection
            states = [state for state in self.connections._states if connection in state.members]
            if client.transport.is_lost:
                assert states == []
                assert connection._held_bytes == 0
            else:
                assert states == [connection._state]
            held += connection._held_bytes
        assert held == self.connections.held_bytes

    def check_settled(self) -> None:
        """Nobody waits for anything but the client's next request, or for it to stop sending."""
        for client in self.clients:
            transport = client.transport
            if not transport.is_lost:
                state = client.connection._state.name
                assert state != "answering"
                if client.has_sent_whole_requests:
                    assert state in ("idle", "head", "closing"), (state, client.paths, bytes(transport.received))
                    assert not transport.sent


def check_answers(client: _Client, *, all_of_them: bool) -> None:
    """Each request is answered once, in order, until the connection ends."""
    start, number, received = 0, 0, bytes(client.transport.received)
    closes = False
    while start < len(received) and not closes:
        head = _ANSWER.match(received, start)
        if head is None:
            assert not client.is_good
            return
        start = head.end()
        if head[1] == b"100":
            continue
        closes = b"Connection: close" in head[2]
        length = re.search(rb"Content-Length: (\d+)", head[2])
        assert length
        if number < len(client.paths) and head[1] == b"200":
            assert b"Path: " + client.paths[number] + b"\r\n" in head[2] + b"\r\n"
        # What is refused before its head has ended may be a HEAD, which nobody knows yet; then the connection ends.
        if closes and int(length[1]) == len(received) - start:
            start = len(received)
        elif number < len(client.paths) and client.methods[number] != b"HEAD":
            start += int(length[1])
        number += 1
    assert start >= len(received)
    assert number <= len(client.paths) or not client.is_good
    if all_of_them and client.is_good and not closes:
        assert number == len(client.paths)


@pytest.mark.parametrize("block", range(10))
async def test_no_order_of_events_confuses_a_connection(block: int, lines: list[Any]) -> None:
    for seed in range(block * 50, block * 50 + 50):
        try:
            await _Simulation(seed).run()
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
    assert [line for line in lines if line["event"] == "unexpected_error"] == []
