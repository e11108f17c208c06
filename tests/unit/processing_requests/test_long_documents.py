"""Documents that are sent in parts, to clients that take them quickly, slowly, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from typing import Final

import pytest

from processing_requests.docs.files import documents
from processing_requests.http.connection import Connection
from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import posted
from unit.processing_requests.raw_http import answer, connected, head
from unit.processing_requests.uvloop_transport import UvloopTransport
from unit.processing_requests.waiting import until

BUNDLE: Final = next(path.decode() for path in documents() if path.endswith(b"bundle.js"))
MOST_DECOMPRESSING: Final = 32  # the default of `Bounds`
PART: Final = 65_536
LARGEST_PART: Final = 262_144  # decompressed
ANSWER_SECONDS: Final = 10.0


def get(*lines: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {BUNDLE} HTTP/1.1", "Host: intake", *lines, "", ""]).encode()


GZIP: Final = get("Accept-Encoding: gzip")
PLAIN: Final = get()


class Client:
    """A client that takes as many bytes as it is told to."""

    def __init__(self, intake: Intake, request: bytes, room: int = 0) -> None:
        self._connection = Connection(intake.service.connections)
        self.transport = UvloopTransport(self._connection)
        self.transport.room = room
        self.transport.open()
        self.transport.sent.append(request)
        self.transport.read()

    @property
    def unsent(self) -> int:
        """What the process holds for it: what was written and not taken."""
        return len(self.transport._unsent)

    @property
    def status(self) -> int:
        return int(self.transport.received.split()[1])

    @property
    def body(self) -> bytes:
        return bytes(self.transport.received.partition(b"\r\n\r\n")[2])

    async def take_all(self, step: int) -> int:
        """Take it in steps; the most that was held meanwhile."""
        most = 0
        for _ in range(10_000):
            await asyncio.sleep(0)
            most = max(most, self.unsent)
            if not self.unsent and not self._connection._parts:
                return most
            self.transport.take(step)
        raise AssertionError("it does not come to its end")


def is_the_bundle(content: bytes) -> bool:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'.encode() in _tag()


def _tag() -> bytes:
    return documents()[BUNDLE.encode()]._plain.entity_tag


@pytest.mark.parametrize("step", [999, 100_000])
async def test_a_client_that_takes_it_slowly_gets_the_whole_and_one_part_is_held_for_it(
    intake: Intake, step: int
) -> None:
    client = Client(intake, GZIP)
    assert await client.take_all(step) <= PART
    assert is_the_bundle(zlib.decompress(client.body, 31))


async def test_a_client_that_does_not_take_gzip_gets_it_decompressed_part_by_part(intake: Intake) -> None:
    client = Client(intake, PLAIN)
    assert await client.take_all(10_000) <= LARGEST_PART
    assert is_the_bundle(client.body)


async def test_what_is_held_for_a_client_that_takes_gzip_is_no_copy(intake: Intake) -> None:
    written: list[object] = []

    class Watching(UvloopTransport):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            written.append(data)

    connection = Connection(intake.service.connections)
    transport = Watching(connection)
    transport.open()
    transport.sent.append(GZIP)
    transport.read()
    await until(lambda: connection._parts is None)
    parts = written[1:]
    assert len(parts) > 5
    assert len({id(part.obj) for part in parts if isinstance(part, memoryview)}) == 1
    assert all(isinstance(part, memoryview) for part in parts)


async def test_quick_clients_take_turns(intake: Intake) -> None:
    clients = [Client(intake, GZIP, room=2**30) for _ in range(3)]
    for turn in range(1, 5):
        await asyncio.sleep(0)
        assert [len(client.body) for client in clients] == [turn * PART] * 3


async def test_no_more_clients_than_the_bound_have_it_decompressed_and_each_end_makes_room(intake: Intake) -> None:
    clients = [Client(intake, PLAIN) for _ in range(MOST_DECOMPRESSING)]
    refused = Client(intake, PLAIN, room=2**30)
    assert (refused.status, refused.body) == (503, b'{"error": "Overloaded"}')
    assert Client(intake, GZIP, room=2**30).status == 200
    assert Client(intake, get(method="HEAD"), room=2**30).status == 200
    assert Client(intake, head(len(posted())) + posted(), room=2**30).unsent == 0
    await clients[0].take_all(2**20)
    clients[1].transport.abort()
    await asyncio.sleep(0)
    for expected in (200, 200, 503):
        assert Client(intake, PLAIN, room=500).status == expected


async def test_a_client_has_the_bound_of_an_answer_for_each_part_and_is_then_disconnected(intake: Intake) -> None:
    client = Client(intake, GZIP)
    loop = asyncio.get_running_loop()
    for _ in range(3):
        client.transport.take(PART)
        await asyncio.sleep(0)
        intake.service.connections.untaken.end_late(loop.time() + ANSWER_SECONDS / 2)
        assert not client.transport.is_closing()
    intake.service.connections.untaken.end_late(loop.time() + ANSWER_SECONDS + 1)
    assert client.transport.is_closing()
    await until(lambda: client.transport.is_lost)
    assert intake.service.connections.count == 0


async def test_a_slow_client_gives_its_place_to_a_new_one() -> None:
    intake = Intake(max_connections=1)
    slow = Client(intake, PLAIN)
    await asyncio.sleep(0)
    assert Client(intake, GZIP, room=2**30).status == 200
    assert slow.transport.is_closing()


async def test_what_was_sent_ahead_is_answered_after_it_over_a_real_socket(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(GZIP + head(len(posted())) + posted() + PLAIN + get(method="HEAD"))
        status, headers, body = await answer(reader)
        assert (status, headers["content-encoding"]) == (200, "gzip")
        assert is_the_bundle(zlib.decompress(body, 31))
        assert (await answer(reader))[::2] == (200, b'{"message": "Request processed successfully"}')
        status, headers, body = await answer(reader)
        assert "content-encoding" not in headers
        assert is_the_bundle(body)
        assert (await answer(reader, has_body=False))[1]["content-length"] == headers["content-length"]


async def test_a_stop_lets_a_client_take_what_it_is_taking() -> None:
    intake = Intake()
    client = Client(intake, GZIP)
    draining = asyncio.create_task(intake.service.connections.drain())
    await until(lambda: intake.service.connections.draining)
    await client.take_all(PART)
    await draining
    assert is_the_bundle(zlib.decompress(client.body, 31))
    assert client.transport.is_lost


async def test_a_stop_does_not_wait_for_a_client_that_takes_nothing() -> None:
    intake = Intake(drain_seconds=0.1)
    client = Client(intake, GZIP)
    async with asyncio.timeout(5):
        await intake.service.connections.drain()
    assert client.transport.is_lost
