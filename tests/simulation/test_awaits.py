from __future__ import annotations

import asyncio
from random import Random

from simulation.awaits import BROKER, INTAKE, Point, all_points, points, suspended_at
from simulation.loop import ProcessLoop, silenced
from simulation.plan import Fault, place_of
from simulation.scheduler import Scheduler


def _texts(role: str) -> str:
    return "\n".join(f"{point.file} {point.text}" for point in points(role))


def test_every_step_of_a_message_is_a_place_where_a_crash_can_happen() -> None:
    intake, broker = _texts(INTAKE), _texts(BROKER)
    assert "processing_requests/queue_sender.py faults = await self.queue.send(bodies)" in intake
    assert "checkpoint/batching/batcher.py outcomes = await self._call(" in intake
    assert "checkpoint/archive/archive.py if await self._store.create(" in broker
    assert "message_broker/in_flight.py fault = await self._deletes.submit(" in broker
    assert "message_broker/fetching.py messages = await self.queue.receive(" in broker


def test_what_begins_at_a_socket_is_no_such_place() -> None:
    assert not [point for point in all_points() if "/http/" in point.file or "/workers/" in point.file]
    assert not [point for point in all_points() if "serve_http" in point.text]


def test_an_armed_crash_says_where() -> None:
    place = place_of(Fault("crash_at_await", 1, 1, "broker-0", amount=3))
    assert place == points(BROKER)[3]


def test_the_place_where_a_task_waits_is_found_through_context_managers() -> None:
    from checkpoint.operations.background import in_background  # noqa: PLC0415  one of the modules that are looked at

    scheduler = Scheduler(Random(1))
    loop = ProcessLoop("process", scheduler, Random(1), lambda _: None)  # type: ignore[abstract]

    async def hold_on() -> None:
        while True:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                await asyncio.sleep(1)

    async def program() -> None:
        async with in_background(hold_on()):
            await asyncio.sleep(0)

    task = loop.create_task(program())
    for _ in range(5):
        loop.run_round(0)
    assert not task.done()
    places = suspended_at(loop.tasks)
    assert [place.text for place in places] == ["async with asyncio.TaskGroup() as group:"]
    assert all(isinstance(place, Point) for place in places)
    loop.end()
    with silenced():
        loop.bury()
