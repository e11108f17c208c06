"""What a service says of its faults, and how often."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from checkpoint.health import Health


@pytest.fixture
def health() -> Health:
    return Health(untried=["queue"], assumed_well=["archive"])


def test_what_was_not_tried_is_a_fault_and_what_cannot_be_tried_is_none(health: Health) -> None:
    assert health.faults == {"queue": "not tried yet"}


def test_a_fault_is_the_last_reason_until_it_ends(health: Health) -> None:
    health.well("queue")
    health.at_fault("archive", "slow")
    health.at_fault("archive", "gone")
    assert health.faults == {"archive": "gone"}
    assert not health.is_well("archive")
    health.well("archive")
    assert health.faults == {}


def test_reasons_that_take_turns_are_logged_once_each_and_so_is_the_end(health: Health) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            health.at_fault("archive", "slow")
            health.at_fault("archive", "gone")
        for _ in range(2):
            health.well("archive")
        health.at_fault("archive", "slow")
    assert [(line["event"], line.get("reason")) for line in lines] == [
        ("is at fault", "slow"),
        ("is at fault", "gone"),
        ("is well", None),
        ("is at fault", "slow"),
    ]
