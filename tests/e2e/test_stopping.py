"""SIGTERM: nothing is lost, nothing is left hanging, exit code 0."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from e2e.marked import assert_exactly, body, endless, marked, md5
from e2e.posting import Load, post_all
from e2e.services import Services
from e2e.test_workers import value
from e2e.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.one_machine import OneMachine
    from e2e.worlds import World

# Nobody waits so long: what a stopped broker held is visible because it was released, or not in time.
LONG_VISIBILITY = "600"


def test_idle_services_stop_within_two_seconds(world: World, services: Services) -> None:
    intake = services.intake()
    broker = services.broker()
    for service in (intake, broker):
        began = time.monotonic()
        assert service.terminate() == 0
        assert time.monotonic() - began < 2
        assert service.events[-1]["event"] == "stopped"
    assert world.waiting() == 0


def test_an_intake_stopped_under_load_answers_whole_and_keeps_what_it_answered_200(
    world: World, services: Services
) -> None:
    intake = services.intake()
    services.broker()

    with Load(intake.port, endless()) as load:
        until(lambda: len(load.answers) >= 500, "500 e-mails are answered")
        assert intake.terminate() == 0

    assert load.torn == []
    assert {answer.status for _, answer in load.answers} == {200}
    until(lambda: world.waiting() == 0, "the queue is empty")
    archived = set(world.objects().values())
    assert [data for data in load.kept if md5(body(data)) not in archived] == []


def test_a_broker_stopped_in_the_middle_of_a_drain_leaves_nothing_hidden(world: World, services: Services) -> None:
    emails = [marked(number, timestream=number // 4) for number in range(2000)]
    intake = services.intake()
    post_all(intake.port, emails)

    broker = services.start("message_broker", VISIBILITY_SECONDS=LONG_VISIBILITY)
    until(lambda: len(world.objects()) >= 300, "300 are archived")
    assert broker.terminate() == 0
    assert world.waiting() > 0
    services.broker()

    until(lambda: world.waiting() == 0, "the queue is empty")
    assert_exactly(world.objects(), emails)


def test_a_broker_stopped_while_the_archive_is_away_releases_what_it_holds_at_once(
    world: World, services: Services
) -> None:
    emails = [marked(number) for number in range(40)]
    intake = services.intake()
    broker = services.broker(VISIBILITY_SECONDS=LONG_VISIBILITY)
    post_all(intake.port, emails[:1])
    until(lambda: world.waiting() == 0, "the first is archived")

    with world.archive_away():
        post_all(intake.port, emails)
        until(lambda: not broker.is_ready(), "the broker knows of the outage")
        began = time.monotonic()
        assert broker.terminate() == 0
        assert time.monotonic() - began < 3
    assert "messages_released" in {event["event"] for event in broker.events}
    services.broker()

    until(lambda: world.waiting() == 0, "another broker has archived them")
    assert_exactly(world.objects(), emails)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_intake_whose_queue_hangs_stops_soon_after_drain_seconds(
    one_machine: OneMachine, tmp_path: Path, workers: str
) -> None:
    services = Services(one_machine.environment, tmp_path)
    try:
        intake = services.intake(DRAIN_SECONDS="0.5", WORKERS=workers)
        with closing(sqlite3.connect(tmp_path / "data" / "queue.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # each write of the intake waits for this, for five seconds
            with ThreadPoolExecutor() as clients:
                posts = [clients.submit(post_all, intake.port, [marked(number)]) for number in range(4)]
                until(lambda: value(intake, "checkpoint_messages_waiting") == len(posts), "all wait for the queue")
                began = time.monotonic()
                assert intake.terminate() == 0
                assert time.monotonic() - began < 4  # it was 10 to 15
                for post in posts:
                    post.exception()
        assert intake.events[-1]["event"] == "stopped"
    finally:
        services.kill_all()
