"""A client that plays cases of the corpus against a real port and writes down what it gets."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from corpus.answers import KEPT
from corpus.case import Case, Step, kept
from corpus.raw_requests import email, post, posted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from corpus.case import Answer

# Longer than any deadline of the process: who waits as long as this was forgotten.
_PATIENCE_SECONDS: Final = 12
# At one time. Those that mostly wait are not counted.
_CONNECTIONS: Final = 16
# What must be answered after a case: over its connection, where that goes on, and over a new one.
_PROBE: Final = email(probe=b"true")
PROBED: Final = kept(_PROBE)


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it came. headers: in the order in which they came, names in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether it says that the connection ends."""
        return self.value("connection") == "close"

    def value(self, name: str) -> str | None:
        """A header's value; None where there is none."""
        return dict(self.headers).get(name)


@dataclass(slots=True)
class Played:
    """What came of a case.

    end: how the connection ended after its answers: the server ended it in an orderly way, reset it, answered another
    request over it, sent what is no answer, or neither ended nor answered.
    probes: the answers to the good requests that came after it, over the same connection and over a new one.
    """

    answers: list[Received] = field(default_factory=list)
    end: Literal["closed", "reset", "goes on", "garbled", "hangs"] = "hangs"
    probes: list[Received] = field(default_factory=list)


async def play_all(port: int, cases: Mapping[str, Case]) -> dict[str, Played]:
    """Play all cases, many at a time; what came of each, by its name."""
    places = asyncio.Semaphore(_CONNECTIONS)

    async def play_one(case: Case) -> Played:
        if case.is_slow:
            return await _play(port, case)
        async with places:
            return await _play(port, case)

    slow_first = sorted(cases, key=lambda name: not cases[name].is_slow)
    played = await asyncio.gather(*(play_one(cases[name]) for name in slow_first))
    return dict(zip(slow_first, played, strict=True))


async def _play(port: int, case: Case) -> Played:
    played = Played()
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await _Client(port, case, played).play()
    with suppress(TimeoutError, OSError, EOFError, ValueError):
        async with asyncio.timeout(_PATIENCE_SECONDS), _connected(port) as (reader, writer):
            writer.write(post(posted(_PROBE)))
            played.probes.append(await _read_answer(reader, PROBED))
    return played


class _Client:
    def __init__(self, port: int, case: Case, played: Played) -> None:
        self._port = port
        self._case = case
        self._played = played
        self._answer_came = asyncio.Condition()

    async def play(self) -> None:
        async with _connected(self._port) as (reader, writer):
            sending = asyncio.create_task(self._send(writer))
            try:
                await self._receive(reader)
                if self._played.end == "hangs":  # so far: it may go on, and if not, it says so by then
                    await sending
                    await self._go_on(reader, writer)
            finally:
                sending.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await sending

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        waited_for = 0
        for step in self._case.steps:
            if isinstance(step, bytes):
                for piece in _pieces(step, self._case.gap_seconds):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(self._case.gap_seconds)
            elif step is Step.READ:
                waited_for += 1
                async with self._answer_came:
                    await self._answer_came.wait_for(lambda: len(self._played.answers) >= waited_for)  # noqa: B023
            elif step is Step.END:
                writer.write_eof()
            elif step is Step.RESET:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            else:
                await asyncio.sleep(step.seconds)

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        """Read the answers that are due; or all until the end, where there must be one, or where another one came."""
        try:
            while not self._may_go_on():
                answer = await _read_answer(reader, self._next_expected())
                async with self._answer_came:
                    self._played.answers.append(answer)
                    self._answer_came.notify_all()
        except EOFError:
            self._played.end = "closed"
        except OSError:
            self._played.end = "reset"
        except ValueError:
            self._played.end = "garbled"

    def _may_go_on(self) -> bool:
        """Whether all answers have come, and the connection must not end after them."""
        came = [(answer.status, answer.closes) for answer in self._played.answers]
        return any(
            came == [(answer.status, answer.closes) for answer in outcome] and not self._case.must_end(outcome)
            for outcome in self._case.outcomes
        )

    def _next_expected(self) -> Answer:
        place = len(self._played.answers)
        return next((outcome[place] for outcome in self._case.outcomes if place < len(outcome)), KEPT)

    async def _go_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(post(posted(_PROBE)))
            answer = await _read_answer(reader, PROBED)
        except EOFError:
            self._played.end = "closed"
        except OSError:
            self._played.end = "reset"
        except ValueError:
            self._played.end = "garbled"
        else:
            if is_probe(answer):
                self._played.probes.append(answer)
                self._played.end = "goes on"
            else:
                self._played.answers.append(answer)


def is_probe(answer: Received) -> bool:
    """Whether it says that the good request was kept."""
    return answer.status == 200 and answer.value("x-message-id") == PROBED.headers["x-message-id"]


def _pieces(sent: bytes, gap_seconds: float) -> list[bytes]:
    return [sent[place : place + 1] for place in range(len(sent))] if gap_seconds else [sent]


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _read_answer(reader: asyncio.StreamReader, expected: Answer) -> Received:
    """The next answer; what is expected tells only whether a body comes with it. Raises EOFError or ValueError."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    start, *lines = head[:-4].split("\r\n")
    version, status, _ = start.split(" ", maxsplit=2)
    if version != "HTTP/1.1":
        raise ValueError("The answer is of another version.")
    headers = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    length = int(dict(headers).get("content-length", "0"))
    body = await reader.readexactly(length) if expected.has_body else b""
    return Received(int(status), headers, body)
