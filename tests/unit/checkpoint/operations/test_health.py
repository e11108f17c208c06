"""What a service says of its faults, and how often."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from checkpoint.operations.health import Health


@pytest.fixture
def health() -> Health:
    return Health(untried=["queue"], assumed_healthy=["archive"])


def test_what_was_not_tried_is_a_fault_and_what_cannot_be_tried_is_none(health: Health) -> None:
    assert health.faults == {"queue": "not tried yet"}


def test_a_fault_is_the_last_reason_until_it_ends(health: Health) -> None:
    health.healthy("queue")
    health.unhealthy("archive", "slow")
    health.unhealthy("archive", "gone")
    assert health.faults == {"archive": "gone"}
    assert not health.is_healthy("archive")
    health.healthy("archive")
    assert health.faults == {}


def test_reasons_that_take_turns_are_logged_once_each_and_so_is_the_end(health: Health) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            health.unhealthy("archive", "slow")
            health.unhealthy("archive", "gone")
        for _ in range(2):
            health.healthy("archive")
        health.unhealthy("archive", "slow")
    assert [(line["event"], line.get("reason")) for line in lines] == [
        ("archive_unavailable", "slow"),
        ("archive_unavailable", "gone"),
        ("archive_available", None),
        ("archive_unavailable", "slow"),
    ]


def test_a_warning_leaves_the_service_ready_until_it_is_cleared(health: Health) -> None:
    health.healthy("queue")
    health.warn("sqs_message_1.json", "cannot be read")
    assert health.warnings == {"sqs_message_1.json": "cannot be read"}
    assert health.faults == {}
    health.clear_warnings(["sqs_message_0.json", "sqs_message_1.json"])
    assert health.warnings == {}


def test_of_many_warnings_the_last_20_are_kept(health: Health) -> None:
    for number in range(30):
        health.warn(str(number), "cannot be read")
    health.warn("11", "still cannot be read")
    assert list(health.warnings) == [str(number) for number in range(10, 30) if number != 11] + ["11"]
