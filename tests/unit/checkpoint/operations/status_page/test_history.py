"""The last hour: what is kept of it, and what is told of it."""

from __future__ import annotations

import math
import threading
from array import array

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from checkpoint.operations.status_page import history
from checkpoint.operations.status_page.history import History
from checkpoint.operations.status_page.measures import Buckets, Level, Quantile, Rate
from e2e.waiting import until
from unit.checkpoint.operations.status_page.hours import Hour

WAITING = Level("checkpoint_messages_waiting")
ANSWERED = Rate("checkpoint_requests_total", "status", ("2",))
FAILED = Rate("checkpoint_queue_call_failures_total")
P99 = Quantile("checkpoint_request_duration_seconds", 0.99)
MEDIAN = Quantile("checkpoint_request_duration_seconds", 0.5)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_a_level_is_what_it_was_at_each_sample_and_is_now(registry: CollectorRegistry) -> None:
    waiting, hour = Gauge("checkpoint_messages_waiting", "-", registry=registry), Hour(registry)
    hour.pass_(3, lambda: waiting.inc(5))
    look = hour.look()
    assert [(point.age, point.value) for point in look.points(WAITING)] == [(60, 5), (30, 10), (0, 15)]
    assert look.now(WAITING) == 15


def test_a_rate_is_what_its_counters_grew_by_per_second_and_now_is_the_last_minute(registry: CollectorRegistry) -> None:
    requests, hour = Counter("checkpoint_requests", "-", ["status"], registry=registry), Hour(registry)
    requests.labels("200").inc(1e6)
    requests.labels("401").inc(5)
    hour.pass_(10, lambda: requests.labels("200").inc(60))
    hour.pass_(2, lambda: requests.labels("200").inc(300))
    look = hour.look()
    assert [point.value for point in look.points(ANSWERED)] == [2.0] * 10 + [10.0] * 2
    assert look.now(ANSWERED) == 10


def test_a_counter_that_appears_has_grown_from_0_and_one_that_goes_back_has_not_grown(
    registry: CollectorRegistry,
) -> None:
    failures, hour = Counter("checkpoint_queue_call_failures", "-", ["code"], registry=registry), Hour(registry)
    hour.pass_(2)
    failures.labels("ENOSPC").inc(30)
    hour.pass_(1)
    failures.clear()
    failures.labels("ENOSPC").inc(3)
    assert [point.value for point in hour.look().points(FAILED)] == [None, 1.0, 0.0]


def test_a_quantile_is_of_what_was_observed_between_two_samples(registry: CollectorRegistry) -> None:
    seconds = Histogram("checkpoint_request_duration_seconds", "-", buckets=(1, 2, 4), registry=registry)
    seconds.observe(0.5)
    hour = Hour(registry)

    def observe_many() -> None:
        for _ in range(100):
            seconds.observe(1.5)

    hour.pass_(1, observe_many)
    hour.pass_(1)
    hour.pass_(1, lambda: seconds.observe(1_000))
    look = hour.look()
    assert [point.value for point in look.points(MEDIAN)] == [1.5, None, 4]
    assert [point.value for point in look.points(P99)] == [1.99, None, 4]
    assert look.now(MEDIAN) == 4


def test_at_the_start_nothing_has_been_measured_between_two_samples(registry: CollectorRegistry) -> None:
    Counter("checkpoint_requests", "-", ["status"], registry=registry).labels("200").inc(7)
    look = Hour(registry).look()
    assert look.points(ANSWERED) == []
    assert look.now(ANSWERED) is None


def test_no_more_than_an_hour_is_kept_and_a_pause_leaves_a_gap_in_it(registry: CollectorRegistry) -> None:
    Gauge("checkpoint_messages_waiting", "-", registry=registry)
    hour = Hour(registry)
    hour.pass_(1_000)
    ages = [point.age for point in hour.look().points(WAITING)]
    assert (len(ages), max(ages), min(ages)) == (120, 3570, 0)
    assert len(hour.history._samples) == 121
    hour.clock.now += 3_000
    assert len(hour.look().points(WAITING)) == 20


def test_a_sample_that_fails_is_left_out_and_the_next_one_is_taken(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_EVERY_SECONDS", 0.01)
    asked: list[int] = []

    def ask() -> CollectorRegistry:
        asked.append(1)
        if len(asked) == 1:
            raise RuntimeError
        return registry

    sampled = History(ask, [])
    with sampled.sampling():
        until(lambda: len(sampled._samples) >= 2, "samples are taken")
    until(lambda: "samples" not in {thread.name for thread in threading.enumerate()}, "the thread ends")


def test_a_quantile_beyond_the_last_bound_is_that_bound() -> None:
    after = Buckets((1.0, math.inf), array("d", [1, 10]))
    assert P99.between(None, after, 30) == 1
