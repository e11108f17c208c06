"""What the parent and a worker tell each other."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from processing_requests.settings import IntakeSettings  # noqa: TC001  msgspec reads it at run time

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One value of a metric, as prometheus_client has it."""

    name: str
    labels: dict[str, str]
    value: float


class Family(msgspec.Struct, frozen=True, array_like=True):
    """A metric with all its samples, as prometheus_client has it: `type` is counter, gauge, histogram, …."""

    name: str
    documentation: str
    type: str
    unit: str
    samples: list[Sample]


def read(registry: CollectorRegistry) -> list[Family]:
    """What a registry holds now."""
    return [
        Family(
            metric.name,
            metric.documentation,
            metric.type,
            metric.unit,
            [Sample(sample.name, sample.labels, sample.value) for sample in metric.samples],
        )
        for metric in registry.collect()
    ]


class Question(StrEnum):
    """What the parent asks."""

    HEALTH = "health"
    METRICS = "metrics"


# From the parent.


class Begin(msgspec.Struct, frozen=True, tag=True):
    """The first message: serve with these settings, in which no reference is left to be read."""

    settings: IntakeSettings


class Ask(msgspec.Struct, frozen=True, tag=True):
    """To be answered at once: with `HealthAnswer` or `MetricsAnswer`."""

    question: Question


class NewTokens(msgspec.Struct, frozen=True, tag=True):
    """Take these from now on, and no others; separated by commas."""

    text: str

    def __repr__(self) -> str:
        return "NewTokens(…)"


ToWorker = Begin | Ask | NewTokens


# From a worker.


class Serving(msgspec.Struct, frozen=True, tag=True):
    """It has opened what its settings name, and takes requests from now on."""


class CannotStart(msgspec.Struct, frozen=True, tag=True):
    """Its settings cannot be used; the text is a SettingsError's. It ends."""

    reason: str


class HealthAnswer(msgspec.Struct, frozen=True, tag=True):
    """As `Health` has it. That it comes shows that the worker's loop is not stuck."""

    faults: dict[str, str] = {}
    warnings: dict[str, str] = {}


class MetricsAnswer(msgspec.Struct, frozen=True, tag=True):
    """What its registry holds."""

    families: list[Family]


class Served(msgspec.Struct, frozen=True, tag=True):
    """Every request that came to it is answered, and it closes what it has opened. Its last metrics."""

    families: list[Family]


FromWorker = Serving | CannotStart | HealthAnswer | MetricsAnswer | Served
