"""One object that cannot be read: its own e-mail waits, everything else goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.marked import assert_exactly, marked
from e2e.posting import post_all
from e2e.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.one_machine import OneMachine
    from e2e.services import Services


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)
def test_neighbours_of_an_unreadable_object_are_archived_and_its_own_email_once_it_is_mended(
    one_machine: OneMachine, services: Services, tmp_path: Path
) -> None:
    emails = [marked(number, timestream=number) for number in range(60)]
    name = f"sqs_message_{emails[7]['email_timestream']}.json"
    intake, broker = services.intake(), services.broker()
    link = tmp_path / "data" / "archive" / name
    link.symlink_to("nowhere")

    post_all(intake.port, emails)

    until(lambda: one_machine.waiting() == 1, "the neighbours are archived")
    status, said = broker.readiness()
    assert (status, list(said["warnings"])) == (200, [name])
    assert {event["object"] for event in broker.events if event["event"] == "object_unreadable"} == {name}
    assert len(one_machine.objects()) == len(emails) - 1

    link.unlink()
    until(lambda: one_machine.waiting() == 0, "the last one is archived")
    assert_exactly(one_machine.objects(), emails)
    assert one_machine.dead_letters() == []
    assert broker.readiness()[1]["warnings"] == {}
