"""The metrics of the hot path, and those that are not always known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from checkpoint.operations.metrics import new_registry
from checkpoint.operations.series import CALL_SECONDS, Histogram, ReadGauge

if TYPE_CHECKING:
    from collections.abc import Mapping

VALUES = (0.0, 0.001, 0.0011, 0.3, 7.0, 10_000.0)


def test_a_histogram_is_exposed_as_one_of_prometheus_client_is() -> None:
    new_registry("any")  # turns off what is not used
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    histogram = Histogram("seconds", "Time.", CALL_SECONDS, registry=ours, label="operation", values=["get", "put"])
    same = prometheus_client.Histogram("seconds", "Time.", ["operation"], buckets=CALL_SECONDS, registry=theirs)
    same.labels("get")
    for value in VALUES:
        histogram.by_value["put"].observe(value)
        same.labels("put").observe(value)
    assert generate_latest(ours) == generate_latest(theirs)


def test_a_histogram_without_a_label_has_none() -> None:
    registry = CollectorRegistry()
    Histogram("seconds", "Time.", (1.0,), registry=registry).by_value[""].observe(2)
    assert registry.get_sample_value("seconds_bucket", {"le": "1.0"}) == 0
    assert registry.get_sample_value("seconds_bucket", {"le": "+Inf"}) == 1
    assert registry.get_sample_value("seconds_sum") == 2


@pytest.mark.parametrize(("told", "series"), [(None, 0), (0, 1), (2.5, 1), ({}, 0), ({"a": 1, "b": 2}, 2)])
def test_a_gauge_has_no_series_for_what_is_not_known(told: float | Mapping[str, float] | None, series: int) -> None:
    registry = CollectorRegistry()
    label = "of" if isinstance(told, dict) else ""
    ReadGauge("depth", "Depth.", lambda: told, registry=registry, label=label)
    [family] = registry.collect()
    assert len(family.samples) == series


def test_both_can_be_asked_for_by_name_and_a_second_one_of_the_name_is_refused() -> None:
    registry = CollectorRegistry()
    Histogram("seconds", "Time.", (1.0,), registry=registry)
    ReadGauge("depth", "Depth.", lambda: 1, registry=registry)
    for name in ("seconds_count", "depth"):
        assert len(list(registry.restricted_registry([name]).collect())) == 1
    with pytest.raises(ValueError, match="depth"):
        ReadGauge("depth", "Depth.", lambda: 1, registry=registry)
