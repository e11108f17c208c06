"""What is on the page: of these plots and facts, those whose metrics the service has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checkpoint.operations.status_page import units
from checkpoint.operations.status_page.measures import Level, Quantile, Rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.operations.status_page.measures import Measure


@dataclass(frozen=True, slots=True)
class Line:
    """One of a plot."""

    name: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines on one scale. unit: writes a value. end: of the scale, for the highest value."""

    title: str
    unit: Callable[[float], str]
    lines: tuple[Line, ...]
    end: Callable[[float], float] = units.round_up


_MEDIAN: Final = 0.5
_SLOWEST: Final = 0.99


def _times(name: str) -> tuple[Line, ...]:
    return Line("median", Quantile(name, _MEDIAN)), Line("p99", Quantile(name, _SLOWEST))


def _one(measure: Measure) -> tuple[Line, ...]:
    return (Line("", measure),)


PLOTS: Final = (
    Plot(
        "Answers per second",
        units.rate,
        (
            Line("200", Rate("checkpoint_requests_total", "status", ("2",))),
            Line("4xx", Rate("checkpoint_requests_total", "status", ("4",))),
            Line("5xx", Rate("checkpoint_requests_total", "status", ("5",))),
        ),
    ),
    Plot("Time to answer", units.duration, _times("checkpoint_request_duration_seconds"), units.round_up_duration),
    Plot("E-mails waiting for the queue", units.count, _one(Level("checkpoint_messages_waiting"))),
    Plot("Open connections", units.count, _one(Level("checkpoint_connections"))),
    Plot(
        "Messages per second",
        units.rate,
        (
            Line("archived", Rate("checkpoint_messages_total", "outcome", ("created", "already_there"))),
            Line("dead-lettered", Rate("checkpoint_messages_total", "outcome", ("dead_lettered",))),
            Line("come again", Rate("checkpoint_messages_total", "outcome", ("released", "failed"))),
        ),
    ),
    Plot("From post to store", units.duration, _times("checkpoint_posted_to_stored_seconds"), units.round_up_duration),
    Plot("From receive to end", units.duration, _times("checkpoint_message_duration_seconds"), units.round_up_duration),
    Plot(
        "On the queue",
        units.count,
        (
            Line("waiting", Level("checkpoint_queue_messages", "state", ("waiting",))),
            Line("in flight", Level("checkpoint_queue_messages", "state", ("in_flight",))),
        ),
    ),
    Plot(
        "Age of the oldest message",
        units.duration,
        _one(Level("checkpoint_oldest_message_age_seconds")),
        units.round_up_duration,
    ),
    Plot("Dead letters", units.count, _one(Level("checkpoint_dead_letters"))),
    Plot("In flight in this broker", units.count, _one(Level("checkpoint_messages_in_flight"))),
    Plot(
        "Failed calls per second",
        units.rate,
        (
            Line("queue", Rate("checkpoint_queue_call_failures_total")),
            Line("archive", Rate("checkpoint_archive_call_failures_total")),
        ),
    ),
    Plot("Memory", units.size, _one(Level("process_resident_memory_bytes")), end=units.round_up_size),
    Plot("CPU, of one processor", units.percent, _one(Rate("process_cpu_seconds_total")), end=units.round_up_percent),
)
MEASURES: Final = tuple(line.measure for plot in PLOTS for line in plot.lines)
