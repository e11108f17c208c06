"""Outages: waited out, said, and over without anybody's help."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from e2e.marked import assert_exactly, marked
from e2e.posting import post_all, post_email
from e2e.waiting import until

if TYPE_CHECKING:
    from e2e.services import Services
    from e2e.worlds import World


def test_an_archive_outage_is_waited_out_and_costs_no_message_a_receive(world: World, services: Services) -> None:
    visibility_seconds = 3
    emails = [marked(number, timestream=number // 4) for number in range(200)]
    world.limit_receives(1)  # a message that is received a second time becomes a dead letter
    intake = services.intake()
    broker = services.broker(VISIBILITY_SECONDS=str(visibility_seconds))
    post_all(intake.port, emails[:1])
    until(lambda: world.waiting() == 0, "the first is archived")

    with world.archive_away():
        assert {answer.status for answer in post_all(intake.port, emails[1:])} == {200}
        until(lambda: not broker.is_ready(), "the broker is not ready")
        _, said = broker.readiness()
        assert list(said["faults"]) == ["archive"]
        assert said["faults"]["archive"]
        noticed = time.monotonic()
        until(lambda: time.monotonic() - noticed > visibility_seconds + 1, "the outage outlasts a visibility timeout")
        assert world.waiting() == len(emails) - 1
        assert not broker.is_ready()
        assert intake.is_ready()

    until(lambda: world.waiting() == 0, "the queue is empty")
    assert_exactly(world.objects(), emails)
    assert world.dead_letters() == []
    assert broker.is_ready()
    logged = [event["event"] for event in broker.events if event["event"].startswith("archive_")]
    assert logged == ["archive_unavailable", "archive_available"]


def test_a_queue_outage_is_answered_503_and_is_over_when_the_queue_is_back(world: World, services: Services) -> None:
    before, during, after = marked(0), marked(1), marked(2)
    intake = services.intake(**world.cuttable)
    # Short, because what is received at the very moment of the cut stays hidden for so long.
    broker = services.broker(**world.cuttable, VISIBILITY_SECONDS="3")
    assert post_email(intake.port, before).status == 200
    until(lambda: world.waiting() == 0, "the first is archived")

    with world.queue_away():
        refused = post_email(intake.port, during)
        assert (refused.status, refused.body) == (503, b'{"error": "Queue unavailable"}')
        assert int(refused.headers["Retry-After"]) > 0
        until(lambda: not intake.is_ready(), "the intake is not ready")
        _, said = intake.readiness()
        assert list(said["faults"]) == ["queue"]
        assert said["faults"]["queue"]
        until(lambda: not broker.is_ready(), "the broker is not ready")

    until(intake.is_ready, "the intake is ready again")
    until(broker.is_ready, "the broker is ready again")
    assert post_email(intake.port, after).status == 200
    assert post_email(intake.port, during).status == 200  # as a client does that was answered 503
    until(lambda: world.waiting() == 0, "the queue is empty")
    assert_exactly(world.objects(), [before, during, after])
