"""The last hour, as far as the page shows it: a sample every 30 seconds, and never more than an hour of them."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from checkpoint.operations.status_page.measures import Values
from checkpoint.operations.telemetry import log_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from prometheus_client import CollectorRegistry

    from checkpoint.clock import Clock
    from checkpoint.operations.status_page.measures import Kept, Measure

SECONDS: Final = 3_600.0
_EVERY_SECONDS: Final = 30.0
_SAMPLES: Final = int(SECONDS / _EVERY_SECONDS) + 1
_NOW_SECONDS: Final = 60.0
# Of a service that has just started, a whole hour would show next to nothing.
_SPANS: Final = (300.0, 900.0, 1_800.0, SECONDS)

_log = structlog.get_logger()


class Point(NamedTuple):
    """age: how many seconds ago. value: None where there was nothing to measure."""

    age: float
    value: float | None


class _Sample(NamedTuple):
    at: float
    kept: Sequence[Kept | None]  # by measure, None where there is no such metric


class History:
    """Samples of a registry.

    registry: gives it; called on the threads that call the methods. measures: what to keep.
    """

    def __init__(
        self, registry: Callable[[], CollectorRegistry], measures: Sequence[Measure], clock: Clock = time
    ) -> None:
        self._registry = registry
        self._measures = tuple(measures)
        self._places = {measure: place for place, measure in enumerate(self._measures)}
        self._clock = clock
        self._samples: deque[_Sample] = deque(maxlen=_SAMPLES)

    def sample(self) -> None:
        """Keep what the registry holds now; the oldest sample goes where there is an hour of them."""
        self._samples.append(self._sample(Values(self._registry())))

    def look(self) -> LastHour:
        """The samples, and what the registry holds now, which is not kept."""
        values = Values(self._registry())
        return LastHour([*self._samples.copy(), self._sample(values)], self._places, values)

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Sample from a thread while the body runs."""
        ended = threading.Event()

        def sample_on() -> None:
            while True:
                try:
                    self.sample()
                except Exception as error:  # noqa: BLE001  a sample that is missing harms nobody
                    log_failure(_log, error)
                if ended.wait(_EVERY_SECONDS):
                    return

        threading.Thread(target=sample_on, daemon=True, name="samples").start()
        try:
            yield
        finally:
            ended.set()

    def _sample(self, values: Values) -> _Sample:
        return _Sample(self._clock.monotonic(), tuple(measure.read(values) for measure in self._measures))


class LastHour:
    """What one look at a history shows. values: all that the registry holds now."""

    def __init__(self, samples: Sequence[_Sample], places: Mapping[Measure, int], values: Values) -> None:
        self.values = values
        self._places = places
        self._now = samples[-1].at
        self._samples = [sample for sample in samples if self._now - sample.at <= SECONDS]

    @property
    def span(self) -> float:
        """How many seconds a plot shows: up to an hour, and less where there are samples of less."""
        oldest = self._now - self._samples[0].at
        return next(span for span in _SPANS if oldest <= span)

    def now(self, measure: Measure) -> float | None:
        """Of the last minute, or of as long as there are samples."""
        last = self._samples[-1]
        before = next(
            (sample for sample in reversed(self._samples) if self._now - sample.at >= _NOW_SECONDS), self._samples[0]
        )
        return self._between(measure, before, last)

    def points(self, measure: Measure) -> list[Point]:
        """One per sample, the oldest first."""
        return [
            Point(self._now - after.at, self._between(measure, before, after))
            for before, after in zip(self._samples, self._samples[1:], strict=False)
        ]

    def _between(self, measure: Measure, before: _Sample, after: _Sample) -> float | None:
        place = self._places[measure]
        kept = after.kept[place]
        return None if kept is None else measure.between(before.kept[place], kept, after.at - before.at)
