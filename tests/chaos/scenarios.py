"""Runs of a certain order, in place of a storm: what a run of random faults would hardly come to."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Final

from chaos.embedded.world import Embedded
from chaos.services import VISIBILITY_SECONDS, stop_and_wait
from chaos.world import Failing
from conservation.oracle import Violation

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from chaos.client import Client
    from chaos.services import Fleet
    from chaos.world import World

STORM: Final = "storm"
# In each world there is one of them.
_OUTAGES: Final = ("archive_away", "long_archive_outage")
_MOST_RECEIVES: Final = 12
_BEFORE: Final = 200
_DURING: Final = 100
_RESTART_SECONDS: Final = 1.5
_DISK_BYTES: Final = 32 * 1024 * 1024
_LONG: Final = 200_000
_BESIDE: Final = 400
_BESIDE_SECONDS: Final = 40.0
_DEADLINE_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.1


def long_outage(world: World, fleet: Fleet, client: Client, random: Random) -> list[Violation]:
    """The archive is away for longer than `max_receives` visibility timeouts, and brokers are restarted meanwhile."""
    outage = next(fault for fault in world.faults if fault.name in _OUTAGES)
    client.post_new(_BEFORE)
    _until(lambda: not client.unanswered, "what was posted before the outage was answered")
    with outage.going_on(random):
        client.post_new(_DURING)
        ends = time.monotonic() + (_MOST_RECEIVES + 1) * VISIBILITY_SECONDS
        for broker in itertools.cycle(fleet.brokers):
            if time.monotonic() > ends:
                break
            time.sleep(_RESTART_SECONDS)
            if random.random() < 0.5:  # half of them crash
                fleet.kill(broker)
            else:
                stop_and_wait(broker)
    return []


def full_queue(world: World, fleet: Fleet, client: Client, random: Random) -> list[Violation]:  # noqa: ARG001  as above
    """The archive is away until the queue has filled its disk; when it is back, that drains without more room."""
    if not isinstance(world, Embedded) or not world.has_disks:
        return []
    with world.queue_disk.full(spare_bytes=_DISK_BYTES):
        with world.archive_disk.away():
            refused = client.statuses[503]
            while client.statuses[503] == refused:
                client.post_new(10, length=_LONG)
                _until(lambda: not client.asked, "what was posted was sent")
        try:
            _until(lambda: not client.unanswered and not world.waiting(), "the queue drained")
        except TimeoutError as error:
            return [Violation("queue_jammed", str(error))]
    return []


def failing_object(world: World, fleet: Fleet, client: Client, random: Random) -> list[Violation]:  # noqa: ARG001  as above
    """One object cannot be put, as if the store were not available; others are, in time."""
    if not isinstance(world, Failing):
        return []
    client.post_new(_BESIDE)
    [name] = client.next_names(1)
    with world.failing(name):
        client.post_new(1)
        client.next_names(1)  # no other e-mail of its timestream, of which each would try that name
        client.post_new(_BESIDE)
        try:
            _until(lambda: len(world.objects()) >= 2 * _BESIDE, "all others were stored", _BESIDE_SECONDS)
        except TimeoutError as error:
            return [Violation("starved_by_a_failing_object", str(error))]
    return []


# By name, what is done in place of a storm; each gives what it found beside what the oracle finds.
SCENARIOS: Final = {"long-outage": long_outage, "full-queue": full_queue, "failing-object": failing_object}


def _until(holds: Callable[[], bool], what: str, seconds: float = _DEADLINE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"within {seconds:g} s it did not hold that {what}")
        time.sleep(_LOOK_SECONDS)
