"""The metrics of several processes as those of one."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import msgspec
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from checkpoint.operations.metrics import new_registry
from processing_requests.metrics import Metrics
from processing_requests.workers.messages import Family, read
from processing_requests.workers.metrics import ParentMetrics
from processing_requests.workers.sums import as_registry, growing, total

if TYPE_CHECKING:
    from collections.abc import Iterable


def worker(*statuses: str, seconds: Iterable[float] = (), waiting: float = 0) -> list[Family]:
    """What a worker tells that has answered with these statuses."""
    registry = CollectorRegistry()
    requests = Counter("requests", "Requests", ["status", "path"], registry=registry)
    for status in statuses:
        requests.labels(status, "/").inc()
    duration = Histogram("duration_seconds", "Duration", buckets=(1, 10), registry=registry)
    for each in seconds:
        duration.observe(each)
    Gauge("waiting", "Waiting", registry=registry).set(waiting)
    told: list[Family] = msgspec.msgpack.decode(msgspec.msgpack.encode(read(registry)), type=list[Family])
    return told


def sample(families: Iterable[Family], name: str, **labels: str) -> float | None:
    return as_registry(families).get_sample_value(name, labels)


def test_counters_are_summed_by_their_labels() -> None:
    summed = total([worker("200", "200", "503"), worker("200", "400"), worker()])
    counts = {status: sample(summed, "requests_total", status=status, path="/") for status in ("200", "400", "503")}
    assert counts == {"200": 3, "400": 1, "503": 1}


def test_histograms_are_summed_by_their_buckets() -> None:
    summed = total([worker(seconds=[0.5, 5]), worker(seconds=[5, 50])])
    assert [sample(summed, "duration_seconds_bucket", le=le) for le in ("1.0", "10.0", "+Inf")] == [1, 3, 4]
    assert sample(summed, "duration_seconds_count") == 4
    assert sample(summed, "duration_seconds_sum") == 60.5


def test_gauges_are_summed() -> None:
    assert sample(total([worker(waiting=3), worker(waiting=4)]), "waiting") == 7


def gauges(**values: float) -> list[Family]:
    """What a worker tells that has these gauges."""
    registry = CollectorRegistry()
    for name, value in values.items():
        Gauge(name, name, registry=registry).set(value)
    return read(registry)


def test_of_points_in_time_the_latest_is_taken_and_of_what_is_up_or_free_the_least() -> None:
    one = gauges(last_posted_timestamp_seconds=2000, queue_up=1, volume_free_bytes=70, of_one_timestamp_seconds=5)
    other = gauges(last_posted_timestamp_seconds=1000, queue_up=0, volume_free_bytes=80)
    for workers in ([one, other], [other, one]):
        summed = total(workers)
        assert sample(summed, "last_posted_timestamp_seconds") == 2000
        assert sample(summed, "of_one_timestamp_seconds") == 5
        assert sample(summed, "queue_up") == 0
        assert sample(summed, "volume_free_bytes") == 70


def test_when_an_ended_worker_last_did_something_stays() -> None:
    ended = growing(gauges(last_posted_timestamp_seconds=2000, queue_up=0))
    summed = total([gauges(last_posted_timestamp_seconds=1000, queue_up=1), ended])
    assert sample(summed, "last_posted_timestamp_seconds") == 2000
    assert sample(summed, "queue_up") == 1


def test_of_an_ended_worker_counters_and_histograms_stay_and_gauges_go() -> None:
    ended = growing(worker("200", seconds=[5], waiting=3))
    summed = total([worker("200", waiting=4), ended])
    assert sample(summed, "requests_total", status="200", path="/") == 2
    assert sample(summed, "duration_seconds_count") == 1
    assert sample(summed, "waiting") == 4


def test_the_build_and_the_start_time_are_the_first_processs_and_its_resources_are_summed() -> None:
    one = read(new_registry("processing_requests"))
    summed = total([one, one, growing(one)])
    assert "checkpoint_build_info{" in generate_latest(as_registry(summed)).decode()
    assert [f for f in summed if f.name == "checkpoint_build"] == [f for f in one if f.name == "checkpoint_build"]
    assert sample(summed, "process_start_time_seconds") == sample(one, "process_start_time_seconds")
    for name, times in (("resident_memory_bytes", 2), ("open_fds", 2), ("max_fds", 2), ("cpu_seconds_total", 3)):
        assert sample(summed, f"process_{name}") == pytest.approx(times * (sample(one, f"process_{name}") or 0))


def test_a_sum_does_not_change_what_was_summed() -> None:
    one = worker("200")
    total([one, one])
    assert one == worker("200")


def test_the_sum_of_one_process_is_exposed_as_the_process_would() -> None:
    registry = Metrics().registry
    registry.unregister(next(each for each in registry._collector_to_names if isinstance(each, ProcessCollector)))
    assert generate_latest(as_registry(total([read(registry)]))) == generate_latest(registry)


def test_a_registry_of_a_sum_can_be_filtered_by_name() -> None:
    restricted = as_registry(worker("200")).restricted_registry(["waiting"])
    assert [metric.name for metric in restricted.collect()] == ["waiting"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool, of Prometheus, is not on the PATH")
def test_prometheus_has_no_objection_to_the_sum() -> None:
    parent = ParentMetrics()
    parent.watch(serving=lambda: 2)
    text = generate_latest(as_registry(total([read(parent.registry), *[read(Metrics().registry)] * 2])))
    ended = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)  # noqa: S607
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, b"")
