"""The metrics of several processes as those of one service."""

from __future__ import annotations

from operator import add
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from processing_requests.workers.messages import Family, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# What these types count only ever grows, and must not shrink when a process ends.
_GROWING: Final = frozenset({"counter", "histogram", "summary"})
# A sum of these says nothing: the first process speaks for all.
_NOT_SUMMED: Final = frozenset({"checkpoint_build", "process_start_time_seconds"})
# Nor of gauges whose names end so. When something last happened in any process stays true after the process has ended.
_LATEST: Final = "_timestamp_seconds"
_LEAST: Final = ("_up", "_free_bytes")


def total(processes: Iterable[Sequence[Family]]) -> list[Family]:
    """The sum of what processes count and measure, sample by sample.

    A gauge is summed, too: what waits, is held or is open in all of them together. But of points in time the latest is
    taken; of what is up or free the least, so that one process that has not what it needs shows; of
    `checkpoint_build_info` and `process_start_time_seconds` the first process's.
    """
    families: dict[str, Family] = {}
    sums: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for process in processes:
        for family in process:
            is_first = family.name not in families
            families.setdefault(family.name, family)
            values = sums.setdefault(family.name, {})
            if is_first or family.name not in _NOT_SUMMED:
                together = _together(family)
                for sample in family.samples:
                    key = sample.name, tuple(sample.labels.items())
                    values[key] = together(values[key], sample.value) if key in values else sample.value
    return [
        Family(
            family.name,
            family.documentation,
            family.type,
            family.unit,
            [Sample(name, dict(labels), value) for (name, labels), value in sums[family.name].items()],
        )
        for family in families.values()
    ]


def growing(families: Iterable[Family]) -> list[Family]:
    """Those whose values must stay in a sum when their process has ended."""
    return [family for family in families if family.type in _GROWING or family.name.endswith(_LATEST)]


def _together(family: Family) -> Callable[[float, float], float]:
    """What becomes of the values of two processes."""
    if family.type == "gauge" and family.name.endswith(_LATEST):
        return max
    return min if family.type == "gauge" and family.name.endswith(_LEAST) else add


def as_registry(families: Iterable[Family]) -> CollectorRegistry:
    """A registry that holds just these values."""
    registry = CollectorRegistry(auto_describe=True)
    registry.register(_Values(families))
    return registry


class _Values:
    def __init__(self, families: Iterable[Family]) -> None:
        self._metrics = [_metric(family) for family in families]

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _metric(family: Family) -> Metric:
    metric = Metric(family.name, family.documentation, family.type, family.unit)
    for sample in family.samples:
        metric.add_sample(sample.name, sample.labels, sample.value)
    return metric
