"""A disk that the queue fills: e-mails are refused before the last of it is taken, and it drains without help."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from e2e.marked import assert_exactly, marked
from e2e.one_machine import OneMachine
from e2e.posting import Answer, post_email
from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.services import Services

FULL = (503, b'{"error": "Queue full"}')
DISK = "24m"
SHORT = 10_000  # while there is room for such ones, the queue is not full


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "disk"
    directory.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", directory], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk is a mount, which this user may not make")
    try:
        yield directory
    finally:
        subprocess.run(["/bin/umount", "--lazy", directory], check=True)


@pytest.fixture
def world(disk: Path, tmp_path: Path) -> OneMachine:
    return OneMachine(tmp_path, queue=disk / "queue.db")


def large(number: int, size: int) -> dict[str, Any]:
    return marked(number, timestream=number) | {"padding": "x" * size}


def post_until_full(port: int, *, size: int, first: int = 0) -> tuple[list[dict[str, Any]], Answer]:
    """Those that were answered 200, and the answer after them."""
    kept: list[dict[str, Any]] = []
    while (answer := post_email(port, large(first + len(kept), size))).status == 200:
        kept.append(large(first + len(kept), size))
    return kept, answer


@pytest.mark.parametrize("size", [100_000])
def test_a_full_disk_is_drained_by_a_broker_that_is_started_then_and_e_mails_are_taken_again(
    world: OneMachine, services: Services, disk: Path, size: int
) -> None:
    intakes = [services.intake(), services.intake()]
    kept: list[dict[str, Any]] = []
    for intake in intakes:
        for each_size in (size, SHORT):
            more, refused = post_until_full(intake.port, size=each_size, first=len(kept))
            kept += more
            assert (refused.status, refused.body) == FULL
            assert int(refused.headers["Retry-After"]) > 0
    until(lambda: not any(intake.is_ready() for intake in intakes), "neither intake is ready")
    for intake in intakes:
        assert "is full: " in intake.readiness()[1]["faults"]["queue"]
    assert sum(len(each["padding"]) for each in kept) > 4_000_000
    assert world.waiting() == len(kept)

    brokers = [services.broker(), services.broker()]
    until(lambda: world.waiting() == 0, "the queue is empty")
    assert_exactly(world.objects(), kept)
    for intake in intakes:
        until(intake.is_ready, "the intake is ready again")
    again = [large(len(kept) + number, size) for number in range(10)]
    assert {post_email(intakes[0].port, each).status for each in again} == {200}
    until(lambda: world.waiting() == 0, "the queue is empty again")
    assert_exactly(world.objects(), kept + again)
    until(lambda: sum(file.stat().st_size for file in disk.iterdir()) < 16_000_000, "room is given back")
    for service in (*intakes, *brokers):
        assert not [event for event in service.events if event["event"] == "unexpected_error"]
