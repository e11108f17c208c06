"""What is counted of calls: how long each took, and which failed, by few codes."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from checkpoint.message_queue.port import EntryFault, QueueFullError, QueueUnavailableError
from checkpoint.operations.calls import Calls
from checkpoint.operations.counted_queue import SENDING, QueueCalls
from clocks import ManualClock


class Counted:
    """Calls to an archive, and a look at what was counted."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.registry = CollectorRegistry()
        self.calls = Calls("archive", ["create"], registry=self.registry, clock=self.clock)

    def fail(self, error: Exception) -> None:
        with pytest.raises(type(error)), self.calls.call("create"):
            raise error

    @property
    def count(self) -> float | None:
        return self.registry.get_sample_value("checkpoint_archive_call_duration_seconds_count", {"operation": "create"})

    @property
    def codes(self) -> dict[str, float]:
        """How many failed with each code."""
        return {
            sample.labels["code"]: sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == "checkpoint_archive_call_failures_total"
        }


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_a_call_is_counted_with_its_time_by_the_clock_of_the_service(counted: Counted) -> None:
    with counted.calls.call("create"):
        counted.clock.now += 3
    name = "checkpoint_archive_call_duration_seconds_sum"
    assert counted.registry.get_sample_value(name, {"operation": "create"}) == 3
    assert counted.codes == {}


def test_a_call_that_fails_is_counted_by_the_errors_code_or_else_by_its_type(counted: Counted) -> None:
    counted.fail(QueueUnavailableError("SQS SendMessageBatch: AccessDenied", code="AccessDenied"))
    counted.fail(QueueFullError("full"))
    counted.fail(KeyError("content of an e-mail"))
    assert counted.codes == {"AccessDenied": 1, "QueueFullError": 1, "KeyError": 1}
    assert counted.count == 3


@pytest.mark.parametrize("code", ["<h1>502</h1>", "a b", "x" * 65, "ünknown", "7", '"'])
def test_a_code_that_is_no_word_is_counted_as_another_one(counted: Counted, code: str) -> None:
    counted.fail(QueueUnavailableError(code=code))
    assert counted.codes == {"other": 1}


def test_whatever_codes_the_other_side_makes_up_there_are_few_series(counted: Counted) -> None:
    for number in range(1000):
        counted.fail(QueueUnavailableError(code=f"Code{number}"))
    assert len(counted.codes) == 31
    assert counted.codes["Code0"] == 1
    assert counted.codes["other"] == 970


def test_a_call_that_is_cancelled_has_neither_succeeded_nor_failed(counted: Counted) -> None:
    with pytest.raises(asyncio.CancelledError), counted.calls.call("create"):
        raise asyncio.CancelledError
    assert counted.codes == {}
    assert counted.count == 0


def test_messages_that_fail_in_a_call_that_succeeds_are_counted_by_themselves() -> None:
    registry = CollectorRegistry()
    calls = QueueCalls(SENDING, registry=registry, clock=ManualClock())
    calls.done("send", calls.began(), [None, EntryFault("It is bad."), None, EntryFault("It is bad.")])
    assert registry.get_sample_value("checkpoint_queue_entry_failures_total", {"operation": "send"}) == 2
    assert registry.get_sample_value("checkpoint_queue_entry_failures_total", {"operation": "probe"}) == 0
