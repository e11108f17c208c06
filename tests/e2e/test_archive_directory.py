"""A broker whose archive's directory is not as it should be waits, is not ready, says why, and goes on by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.marked import assert_exactly, body, marked
from e2e.services import Services
from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.one_machine import OneMachine
    from e2e.services import Service


@pytest.fixture
def services(one_machine: OneMachine, tmp_path: Path) -> Iterator[Services]:
    started = Services(one_machine.environment, tmp_path)
    yield started
    started.kill_all()


def waits(broker: Service) -> str:
    """Why it waits: it runs, and is not ready."""
    until(lambda: "archive" in broker.readiness()[1].get("faults", {}), "the broker says what is wrong")
    status, said = broker.readiness()
    assert status == 503
    assert broker.process.poll() is None
    told: str = said["faults"]["archive"]
    return told


def test_a_directory_that_was_named_is_not_made_and_what_waits_on_the_queue_is_not_received(
    services: Services, one_machine: OneMachine, tmp_path: Path
) -> None:
    archive = tmp_path / "data" / "mine"
    one_machine.limit_receives(1)  # a message that is received and comes again becomes a dead letter
    broker = services.broker()  # makes the queue
    broker.terminate()
    one_machine.put(body(marked(0)))

    for _ in range(2):
        broker = services.start("message_broker", ARCHIVE_URL=archive.as_uri())
        assert "make the directory, or mount its volume" in waits(broker)
        assert not archive.exists()
        assert broker.terminate() == 0
    broker = services.start("message_broker", ARCHIVE_URL=archive.as_uri())
    waits(broker)
    archive.mkdir()

    broker.wait_until_ready()
    until(lambda: one_machine.waiting() == 0, "the queue is empty")
    assert one_machine.dead_letters() == []
    assert [path.read_bytes() for path in archive.glob("*.json")] == [body(marked(0))]
    logged = [event["event"] for event in broker.events if event["event"].startswith("archive_")]
    assert logged == ["archive_unavailable", "archive_available"]


def test_a_broker_that_is_restarted_on_a_lost_mount_writes_nothing_below_it(
    services: Services, one_machine: OneMachine, tmp_path: Path
) -> None:
    archive, elsewhere = tmp_path / "data" / "archive", tmp_path / "elsewhere"
    emails = [marked(number) for number in range(3)]
    broker = services.broker()
    one_machine.put(body(emails[0]))
    until(lambda: one_machine.waiting() == 0, "the first is archived")
    broker.kill()
    archive.rename(elsewhere)
    archive.mkdir()

    one_machine.put(body(emails[1]))
    broker = services.start("message_broker")
    assert "mount its volume" in waits(broker)
    assert list(archive.iterdir()) == []
    archive.rmdir()
    elsewhere.rename(archive)
    broker.wait_until_ready()
    until(lambda: one_machine.waiting() == 0, "the second is archived")

    archive.rename(elsewhere)
    archive.mkdir()
    one_machine.put(body(emails[2]))
    assert "mount its volume" in waits(broker)
    assert list(archive.iterdir()) == []
    archive.rmdir()
    elsewhere.rename(archive)
    broker.wait_until_ready()
    until(lambda: one_machine.waiting() == 0, "the third is archived")
    assert_exactly(one_machine.objects(), emails)
    assert one_machine.dead_letters() == []


@pytest.mark.parametrize("in_place", ["a file", "below a file"])
def test_a_file_in_the_way_is_waited_out(services: Services, tmp_path: Path, in_place: str) -> None:
    (tmp_path / "file").touch()
    archive = tmp_path / "file" if in_place == "a file" else tmp_path / "file" / "archive"
    broker = services.start("message_broker", ARCHIVE_URL=archive.as_uri())
    assert "ENOTDIR" in waits(broker)
    (tmp_path / "file").unlink()
    archive.mkdir(parents=True)
    broker.wait_until_ready()
