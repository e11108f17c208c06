"""The registry that every service's metrics are in."""

from __future__ import annotations

import platform
import sys

import pytest
from prometheus_client import Counter, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from checkpoint.operations.metrics import new_registry
from checkpoint.version import VERSION


def test_the_build_is_told_by_service_version_and_python() -> None:
    labels = {"service": "intake", "version": VERSION, "python_version": platform.python_version()}
    assert new_registry("intake").get_sample_value("checkpoint_build_info", labels) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the metrics of a process are read from /proc")
def test_the_process_is_measured() -> None:
    registry = new_registry("intake")
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"):
        assert (registry.get_sample_value(name) or 0) > 0


def test_no_series_tells_when_a_metric_was_created() -> None:
    registry = new_registry("intake")
    Counter("requests", "Requests.", ["status"], registry=registry).labels(200).inc()
    Histogram("request_duration_seconds", "Seconds.", registry=registry).observe(1)
    for exposition in (generate_latest(registry), generate_openmetrics(registry)):  # type: ignore[no-untyped-call]
        assert b"requests_total" in exposition
        assert b"_created" not in exposition


def test_each_registry_stands_alone() -> None:
    first, second = new_registry("intake"), new_registry("intake")
    Counter("requests", "Requests.", registry=first).inc()
    assert second.get_sample_value("requests_total") is None
