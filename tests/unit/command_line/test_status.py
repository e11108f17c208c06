"""What status shows, over a queue in memory and real private ports."""

from __future__ import annotations

import asyncio
import json
from contextlib import nullcontext
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from prometheus_client import Counter
from rich.console import Console
from typer.testing import CliRunner

from checkpoint.message_queue.memory import MemoryAdminQueue, MemoryQueue
from checkpoint.message_queue.port import Depth
from checkpoint.operations.health import Health
from checkpoint.operations.metrics import new_registry
from checkpoint.operations.private_port import serve_private_port
from checkpoint.version import VERSION
from command_line import opening
from command_line.application import application
from command_line.running import ExitCode
from command_line.services import ServiceState, ask_service
from command_line.status.commands import described, watch_in, watch_on
from command_line.status.drawing import Drawing
from command_line.status.state import Count, Looking, Status
from emails import body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

READY = ServiceState(is_ready=True, version="1.2.3", messages=100, at=1)
AWAY = ServiceState(problem="nothing listens there")
FAULTY = ServiceState(faults={"archive": "ENOSPC: No space left"}, warnings={"object_1": "is \x1b[2J unreadable"})
EMPTY = Depth(0, 0, None, 0)


def status(
    intake: ServiceState | None = READY,
    broker: ServiceState | None = READY,
    depth: Depth | str = EMPTY,
    count: Count | None = None,
    **rates: float,
) -> Status:
    return Status(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), intake, broker, depth, count, **rates)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (status(), ExitCode.AS_ASKED),
        (status(None, None), ExitCode.AS_ASKED),
        (status(ServiceState(is_ready=True, warnings={"object": "is odd"})), ExitCode.AS_ASKED),
        (status(FAULTY), ExitCode.NOT_AS_ASKED),
        (status(broker=AWAY), ExitCode.NOT_AS_ASKED),
        (status(AWAY, AWAY), ExitCode.NOT_AS_ASKED),
        (status(depth=Depth(0, 0, None, 1)), ExitCode.NOT_AS_ASKED),
        (status(depth="locked"), ExitCode.NOT_AS_ASKED),
        (status(AWAY, AWAY, "locked"), ExitCode.UNAVAILABLE),
        (status(None, None, "locked"), ExitCode.UNAVAILABLE),
    ],
)
def test_the_exit_code_says_whether_all_is_well(found: Status, code: ExitCode) -> None:
    assert found.code is code
    assert found.as_json()["ok"] is (code is ExitCode.AS_ASKED)


STATES = [
    status(),
    status(AWAY, None, "locked by \x1b[31m somebody, which is said in a very long sentence that does not fit a line"),
    status(FAULTY, FAULTY, Depth(1_234_567, 256, 93_000, None), Count(12_345_678, is_whole=False)),
    status(depth=Depth(1, 2, 3, 45), count=Count(1, is_whole=True), posted_rate=1234.5, archived_rate=0),
]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("found", STATES, ids=["well", "away", "faulty", "dead letters"])
def test_a_status_fits_the_terminal_and_is_harmless(found: Status, width: int) -> None:
    console = Console(file=StringIO(), width=width, color_system=None)
    drawing = Drawing(queue="sqlite:///" + "q" * 200, archive="file:///[red]a")
    for _ in range(3):  # with trends
        console.print(drawing.draw(found))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert {len(line) for line in lines} == {width}
    assert "\x1b" not in "".join(lines)


def drawn(found: Status, *, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width, color_system=None)
    console.print(Drawing(queue="q", archive="a").draw(found))
    shown: str = console.file.getvalue()  # type: ignore[attr-defined]
    return shown


def test_a_narrow_terminal_shows_the_state_of_everything_too() -> None:
    shown = drawn(status(READY, FAULTY, Depth(3, 2, 7, 0), posted_rate=12, archived_rate=0), width=40)
    for words in (
        "● intake       ready",
        "✗ broker       not ready",
        "12/s in",
        "● queue        3 waiting",
        "oldest 7 s",
    ):
        assert words in shown


def test_a_status_shows_what_is_wrong_and_the_way_out() -> None:
    assert "all is well" in drawn(STATES[0])
    faulty = drawn(STATES[2])
    for words in ("archive: ENOSPC: No space left", r"object_1: is \x1b[2J unreadable", "1,234,567 waiting",
                  "256 in flight", "oldest 26 h", "set a RedrivePolicy", "more than 12,345,678 objects"):  # fmt: skip
        assert words in faulty
    dead = drawn(STATES[3])
    for words in ("✗ dead letters 45", "checkpoint dead-letters list", "1,234/s in", "0/s out", "1 object "):
        assert words in dead


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def registry_of(service: str) -> tuple[Any, Counter]:
    registry = new_registry(service)
    if service == "processing_requests":
        return registry, Counter("checkpoint_requests", "Requests.", ["status"], registry=registry)
    return registry, Counter("checkpoint_messages", "Messages.", ["outcome"], registry=registry)


async def test_a_private_port_tells_readiness_version_and_what_was_brought_further(http: aiohttp.ClientSession) -> None:
    health = Health(untried=["queue"])
    health.warn("object_1", "is odd")
    registry, counter = registry_of("message_broker")
    counter.labels("created").inc(3)
    counter.labels("already_there").inc(2)
    counter.labels("failed").inc(9)
    with serve_private_port("127.0.0.1", 0, health, registry) as port:
        url = f"http://127.0.0.1:{port}/"
        first = await ask_service(http, url)
        counter.labels("created").inc(10)
        health.healthy("queue")
        second = await ask_service(http, url)
    assert (first.is_ready, first.faults, first.warnings) == (False, {"queue": "not tried yet"}, {"object_1": "is odd"})
    assert (second.problem, second.is_ready, second.version, second.messages) == ("", True, VERSION, 15)
    rate = second.rate_since(first)
    assert rate is not None
    assert rate == pytest.approx(10 / (second.at - first.at))
    assert second.clock_seconds == pytest.approx(0, abs=3)
    assert first.rate_since(second) is None
    assert first.rate_since(None) is None


async def test_what_is_no_private_port_is_told(http: aiohttp.ClientSession) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        assert "no private port" in (await ask_service(http, f"http://127.0.0.1:{port}")).problem
    assert (await ask_service(http, f"http://127.0.0.1:{port}")).problem == "nothing listens there"
    assert "is not the URL" in (await ask_service(http, "nonsense")).problem


@pytest.fixture
def looking(http: aiohttp.ClientSession, tmp_path: Path) -> Callable[..., Looking]:
    def look(queue: MemoryQueue, intake: str = "", broker: str = "") -> Looking:
        return Looking(
            MemoryAdminQueue(queue), http, intake_url=intake, broker_url=broker, archive_url=tmp_path.as_uri()
        )

    return look


async def test_watching_survives_that_anything_is_away_and_comes_back(
    looking: Callable[..., Looking], tmp_path: Path
) -> None:
    queue = MemoryQueue()
    await queue.send([body(), body()])
    registry, counter = registry_of("processing_requests")
    shown: list[dict[str, Any]] = []
    with serve_private_port("127.0.0.1", 0, Health(untried=[]), registry) as port:
        asked = looking(queue, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}")

        def show(found: Status) -> None:
            shown.append(found.as_json())
            queue.unavailable = "locked" if len(shown) == 1 else None
            (tmp_path / f"sqs_message_{len(shown)}.json").touch()
            counter.labels("200").inc(7)

        await watch_in(asked, 0.01, show, looks=3)
    depths = [found["queue"] for found in shown]
    assert depths[0]["waiting"] == depths[2]["waiting"] == 2
    assert depths[1] == {"error": "locked"}
    assert [found["archive"]["objects"] for found in shown] == [0, 1, 2]
    assert [found["intake"]["messages"] for found in shown] == [None, 7, 14]
    assert shown[0]["intake"]["rate"] is None
    assert shown[2]["intake"]["rate"] > 0
    assert (await watch_in(asked, 0.01, lambda _: None, looks=1)) is ExitCode.NOT_AS_ASKED  # the port is closed
    json.dumps(shown)


async def test_on_a_terminal_the_same_lines_are_drawn_again(looking: Callable[..., Looking]) -> None:
    console = Console(file=StringIO(), force_terminal=True, width=80)
    code = await watch_on(console, looking(MemoryQueue()), Drawing(queue="q", archive="a"), 0.01, looks=2)
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert code is ExitCode.AS_ASKED
    assert written.count("waiting") >= 2
    assert "\x1b[1A" in written  # up a line


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///data/queue.db?max_receives=3", "sqlite:///data/queue.db"),
        ("https://user:s3cret@host/1/queue", "https://host/1/queue"),
    ],
)
def test_what_is_shown_of_a_url_is_no_secret(url: str, shown: str) -> None:
    assert described(url) == shown


def test_nobody_waits_for_rates_that_no_service_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    async def depth(_: object) -> Depth:
        nonlocal looks
        looks += 1
        return Depth(0, 0, None, 0)

    monkeypatch.setattr(MemoryAdminQueue, "depth", depth)
    monkeypatch.setattr(opening, "open_admin", lambda _: nullcontext(MemoryAdminQueue(MemoryQueue())))
    nowhere = {"INTAKE_PRIVATE_URL": "http://127.0.0.1:1", "BROKER_PRIVATE_URL": "", "ARCHIVE_URL": tmp_path.as_uri()}
    assert CliRunner().invoke(application, ["status", "--json"], env=nowhere).exit_code == 1
    assert looks == 1
