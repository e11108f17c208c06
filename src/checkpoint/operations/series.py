"""Metrics for the hot path, and for what is not always known, beside those of prometheus_client."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from prometheus_client.metrics_core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

# A call to a disk, to a service in the same region, or one that waits for messages: 20 s on SQS.
CALL_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Observations:
    """The observations of one histogram with one value of its label.

    They are made on one thread, the event loop's, so they take no lock: an observation costs a quarter of what one of
    prometheus_client costs. A scrape on another thread may miss the last one of them.
    """

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def read(self) -> tuple[list[tuple[str, float]], float]:
        """The upper bound of each bucket with how many values are not above it, and the sum of all values."""
        counts = self._counts.copy()
        bounds = [
            floatToGoString(bound)  # type: ignore[no-untyped-call]  # the library has no type there
            for bound in (*self._bounds, float("inf"))
        ]
        return list(zip(bounds, accumulate(counts), strict=True)), self._sum


class Histogram(Collector):
    """A histogram, with no label or one whose values are known; see `Observations`.

    bounds: the upper bounds of its buckets, in order, without infinity.
    """

    def __init__(
        self,
        name: str,
        documentation: str,
        bounds: Sequence[float],
        *,
        registry: CollectorRegistry,
        label: str = "",
        values: Iterable[str] = ("",),
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._labels = [label] if label else []
        self.by_value: Final = {value: Observations(bounds) for value in values}
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """As prometheus_client says."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        for value, observations in self.by_value.items():
            buckets, total = observations.read()
            family.add_metric([value] if self._labels else [], buckets, total)
        return [family]

    describe = collect


class ReadGauge(Collector):
    """A gauge that is read at each scrape, and has no series while what it would tell is not known.

    read: gives a number, or None; with a label, a number by its values.
    """

    def __init__(
        self,
        name: str,
        documentation: str,
        read: Callable[[], float | Mapping[str, float] | None],
        *,
        registry: CollectorRegistry,
        label: str = "",
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._read = read
        self._labels = [label] if label else []
        registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """As prometheus_client says."""
        return [GaugeMetricFamily(self._name, self._documentation, labels=self._labels)]

    def collect(self) -> Iterable[Metric]:
        """As prometheus_client says."""
        family = GaugeMetricFamily(self._name, self._documentation, labels=self._labels)
        match self._read():
            case None:
                pass
            case float() | int() as value:
                family.add_metric([], value)
            case by_value:
                for label, value in by_value.items():
                    family.add_metric([label], value)
        return [family]
