"""What the page tells of the metrics: levels, rates and quantiles, each from two looks at a registry."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import CollectorRegistry


class Buckets(NamedTuple):
    """A histogram's counts by its upper bounds, in few bytes: an hour of them is held."""

    bounds: tuple[float, ...]
    counts: array[float]


# What a measure keeps of one look.
Kept = float | Buckets


class Values:
    """All samples of a registry, by name."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._samples: dict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
        self._buckets: dict[str, Buckets | None] = {}
        for metric in registry.collect():
            for sample in metric.samples:
                self._samples[sample.name].append((sample.labels, float(sample.value)))

    def all(self, name: str) -> list[tuple[Mapping[str, str], float]]:
        """A metric's samples, with their labels."""
        return self._samples.get(name, [])

    def total(self, name: str, label: str = "", starts: tuple[str, ...] = ("",)) -> float | None:
        """The sum of those whose label begins with one of these; None where there is none."""
        found = [value for labels, value in self.all(name) if labels.get(label, "").startswith(starts)]
        return sum(found) if found else None

    def buckets(self, name: str) -> Buckets | None:
        """A histogram, all its labels together; None where there is none. The same object for each who asks."""
        if name not in self._buckets:
            counts: dict[float, float] = defaultdict(float)
            for labels, value in self.all(f"{name}_bucket"):
                counts[float(labels["le"])] += value
            bounds = _shared(tuple(sorted(counts)))
            self._buckets[name] = Buckets(bounds, array("d", [counts[bound] for bound in bounds])) if bounds else None
        return self._buckets[name]


@lru_cache(maxsize=64)
def _shared(bounds: tuple[float, ...]) -> tuple[float, ...]:
    """The first tuple that is equal to this one."""
    return bounds


class Measure(Protocol):
    """One line of a plot."""

    def read(self, values: Values) -> Kept | None:
        """What to keep of a look; None where the service has no such metric."""
        ...

    def between(self, before: Kept | None, after: Kept, seconds: float) -> float | None:
        """What to show of the time between two looks; None where there was nothing to measure.

        before: None where the metric was not there yet, as one with labels is not before it is counted first.
        """
        ...


@dataclass(frozen=True, slots=True)
class Level:
    """A gauge. label, starts: as `Values.total` has them."""

    name: str
    label: str = ""
    starts: tuple[str, ...] = ("",)

    def read(self, values: Values) -> Kept | None:
        """As `Measure` says."""
        return values.total(self.name, self.label, self.starts)

    def between(self, before: Kept | None, after: Kept, seconds: float) -> float | None:  # noqa: ARG002  it is a point's
        """As `Measure` says: what it was in the end."""
        return after if isinstance(after, float | int) else None


@dataclass(frozen=True, slots=True)
class Rate:
    """How much a counter grows, per second. label, starts: as `Values.total` has them."""

    name: str
    label: str = ""
    starts: tuple[str, ...] = ("",)

    def read(self, values: Values) -> Kept | None:
        """As `Measure` says."""
        return values.total(self.name, self.label, self.starts)

    def between(self, before: Kept | None, after: Kept, seconds: float) -> float | None:
        """As `Measure` says. A counter that has gone back began anew."""
        if isinstance(before, Buckets) or isinstance(after, Buckets) or seconds <= 0:
            return None
        return max(0.0, after - (before or 0.0)) / seconds


@dataclass(frozen=True, slots=True)
class Quantile:
    """Of a histogram, of what it has observed between two looks. part: 0.5 is the median."""

    name: str
    part: float

    def read(self, values: Values) -> Kept | None:
        """As `Measure` says."""
        return values.buckets(self.name)

    def between(self, before: Kept | None, after: Kept, seconds: float) -> float | None:  # noqa: ARG002  it is no rate
        """As `Measure` says, as Prometheus does: evenly spread within a bucket, and at most the last bound.

        https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
        """
        if not isinstance(after, Buckets):
            return None
        old = dict(zip(*before, strict=True)) if isinstance(before, Buckets) else {}
        counts = [(bound, count - old.get(bound, 0.0)) for bound, count in zip(*after, strict=True)]
        wanted = self.part * counts[-1][1]
        if wanted <= 0:
            return None
        lower = below = 0.0
        for bound, count in counts:
            if count >= wanted:
                if math.isinf(bound):
                    return lower
                return lower + (bound - lower) * (wanted - below) / (count - below)
            lower, below = bound, count
        return None
