"""What a service did, in one line of its log per minute."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from prometheus_client import Counter

_log = structlog.get_logger()


async def log_summary(event: str, counter: Counter, *, every_seconds: float = 60) -> None:
    """Log how much a counter has grown since the last line, until cancelled, and once more then.

    counter: has one label. The line's keys are the label's values, without those that have not grown; where none has,
    there is no line.
    """
    logged: dict[str, int] = {}
    try:
        while True:
            await asyncio.sleep(every_seconds)
            logged = _log_growth(event, counter, logged)
    finally:
        _log_growth(event, counter, logged)


def _log_growth(event: str, counter: Counter, logged: dict[str, int]) -> dict[str, int]:
    counts = _counts(counter)
    grown = {value: count - logged.get(value, 0) for value, count in counts.items() if count > logged.get(value, 0)}
    if grown:
        _log.info(event, **grown)
    return counts


def _counts(counter: Counter) -> dict[str, int]:
    """The counter's value by its label's value."""
    samples = [sample for metric in counter.collect() for sample in metric.samples if sample.name.endswith("_total")]
    return {value: int(sample.value) for sample in samples for value in sample.labels.values()}
