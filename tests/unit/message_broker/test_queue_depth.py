"""How much is on the queue, as Prometheus reads it of the broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from checkpoint.message_queue.port import Depth, QueueUnavailableError
from emails import body
from unit.message_broker.running_broker import RunningBroker

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = {
    "waiting": ("checkpoint_queue_messages", {"state": "waiting"}),
    "in_flight": ("checkpoint_queue_messages", {"state": "in_flight"}),
    "dead_letters": ("checkpoint_dead_letters", {}),
    "oldest": ("checkpoint_oldest_message_age_seconds", {}),
}


def told(broker: RunningBroker) -> Mapping[str, float | None]:
    """What is exposed; None for a series that is not there."""
    registry = broker.service.metrics.registry
    return {key: registry.get_sample_value(name, labels) for key, (name, labels) in NAMES.items()}


class Measured:
    """A broker over a queue whose measurements are at the test's word, and cost it no minute.

    depth: what the queue tells, or raises. measured: how often it was asked.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, depth: Depth | Exception) -> None:
        self.depth = depth
        self.measured = 0
        self.broker = RunningBroker(depth_seconds=0.001)
        monkeypatch.setattr(self.broker.queue, "depth", self._measure)

    async def _measure(self) -> Depth:
        self.measured += 1
        if isinstance(self.depth, Exception):
            raise self.depth
        return self.depth

    async def again(self) -> None:
        """Return when it was measured twice from now: the first may have begun before."""
        before = self.measured
        await self.broker.until(lambda: self.measured >= before + 2)


async def test_before_the_first_measurement_nothing_is_told(broker: RunningBroker) -> None:
    assert set(told(broker).values()) == {None}


async def test_what_the_queue_tells_is_exposed(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Measured(monkeypatch, Depth(7, 2, 60.5, 1))
    async with measured.broker.running():
        await measured.again()
        assert told(measured.broker) == {"waiting": 7, "in_flight": 2, "dead_letters": 1, "oldest": 60.5}


async def test_without_a_dead_letter_queue_there_are_no_dead_letters_not_none_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured = Measured(monkeypatch, Depth(0, 0, None, None))
    async with measured.broker.running():
        await measured.again()
        assert told(measured.broker) == {"waiting": 0, "in_flight": 0, "dead_letters": None, "oldest": 0}


@pytest.mark.parametrize("error", [QueueUnavailableError("SQS GetQueueAttributes: AccessDenied"), KeyError("odd")])
async def test_a_measurement_that_fails_disturbs_nothing_and_what_it_told_before_is_gone(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    measured = Measured(monkeypatch, Depth(7, 2, 60, 1))
    broker = measured.broker
    async with broker.running():
        await measured.again()
        with capture_logs() as log:
            measured.depth = error
            await measured.again()
            assert set(told(broker).values()) == {None}
            await broker.queue.send([body()])
            await broker.drained()
        assert broker.counted("created") == 1
        assert not broker.faults
        measured.depth = Depth(0, 0, None, 0)
        await measured.again()
        assert told(broker)["waiting"] == 0
    if isinstance(error, QueueUnavailableError):
        assert [line for line in log if line["event"] == "depth_unknown"] == [
            {"event": "depth_unknown", "reason": str(error), "log_level": "warning"}
        ]


async def test_a_measurement_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("message_broker.queue_depth._MEASURE_SECONDS", 0.01)
    measured = Measured(monkeypatch, Depth(7, 2, 60, 1))
    async with measured.broker.running():
        await measured.again()
        monkeypatch.setattr(measured.broker.queue, "depth", lambda: asyncio.sleep(3600))
        await measured.broker.until(lambda: told(measured.broker)["waiting"] is None)


async def test_after_an_outage_in_which_a_measurement_was_slow_the_next_one_is_not_long_in_coming(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("message_broker.queue_depth._LONGEST_REST_AFTER_FAILURE_SECONDS", 0.01)
    measured = Measured(monkeypatch, Depth(1, 0, 1, 0))
    measure = measured.broker.queue.depth

    async def fail_late() -> Depth:
        measured.broker.clock.now += 10
        monkeypatch.setattr(measured.broker.queue, "depth", measure)
        raise QueueUnavailableError("away")

    monkeypatch.setattr(measured.broker.queue, "depth", fail_late)
    async with measured.broker.running():
        await measured.broker.until(lambda: told(measured.broker)["waiting"] == 1)


async def test_where_the_queue_does_not_say_how_old_its_oldest_message_is_what_is_held_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured = Measured(monkeypatch, Depth(5, 1, None, 0))
    broker = measured.broker
    broker.store.let.clear()
    await broker.queue.send([body()])
    async with broker.running():
        await broker.until(lambda: broker.store.calls)
        await measured.again()
        assert told(broker)["oldest"] == 0
        broker.clock.now += 20
        assert told(broker)["oldest"] == 20
        measured.depth = QueueUnavailableError("down")
        await measured.again()
        assert told(broker)["oldest"] == 20, "what is held is known all the same"
        broker.store.let.set()
        await broker.drained()


async def test_what_was_stored_late_speaks_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Measured(monkeypatch, Depth(5, 0, None, 0))
    broker = measured.broker
    await broker.queue.send([body()])
    broker.clock.now += 300
    monkeypatch.setattr("message_broker.queue_depth._RECENT_SECONDS", 0.05)
    async with broker.running():
        await broker.until(lambda: told(broker)["oldest"] == 300)
        await broker.until(lambda: told(broker)["oldest"] == 0)


async def test_what_was_stored_late_does_not_speak_for_an_empty_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Measured(monkeypatch, Depth(1, 0, None, 0))
    broker = measured.broker
    await broker.queue.send([body()])
    broker.clock.now += 300
    async with broker.running():
        await broker.until(lambda: told(broker)["oldest"] == 300)
        measured.depth = Depth(0, 0, None, 0)
        await measured.again()
        assert told(broker)["oldest"] == 0


async def test_a_queue_that_cannot_be_measured_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("checkpoint.message_queue.memory.MemoryQueue.depth")
    broker = RunningBroker()
    await broker.queue.send([body()])
    async with broker.running():
        await broker.drained()
    assert told(broker)["waiting"] is None
