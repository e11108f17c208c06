"""Each app's README lists its environment variables as its `--help` does, and its metrics and log events."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest

import message_broker.service
import processing_requests.service
from architecture.sources import REPOSITORY, SERVICES
from checkpoint.archive.archive import Archive
from checkpoint.message_queue.memory import MemoryQueue
from checkpoint.operations.command_line import Variable, variables
from command_line.settings import CommandLineSettings
from message_broker.settings import BrokerSettings
from objects import MemoryObjects
from processing_requests.settings import IntakeSettings
from processing_requests.workers.metrics import ParentMetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

    from checkpoint.settings import Settings


def table(app: str) -> list[Variable]:
    """The rows of the README's table with the columns name, default and meaning, without their backticks."""
    rows = [
        [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]
        for line in (REPOSITORY / "apps" / app / "README.md").read_text().splitlines()
        if line.startswith("|")
    ]
    first = rows.index(["name", "default", "meaning"]) + 2
    return [Variable(*row) for row in itertools.takewhile(lambda row: re.fullmatch(r"[A-Z_]+", row[0]), rows[first:])]


@pytest.mark.parametrize(
    ("app", "settings"),
    [
        ("processing_requests", IntakeSettings),
        ("message_broker", BrokerSettings),
        ("command_line", CommandLineSettings),
    ],
)
def test_the_table_says_what_the_settings_say(app: str, settings: type[Settings]) -> None:
    described = sorted(variables(settings))
    assert all(variable.meaning for variable in described)
    assert sorted(table(app)) == described


def first_cells(app: str, heading: str) -> set[str]:
    """The code in the first cell of each row of the table below a heading."""
    section = (REPOSITORY / "apps" / app / "README.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return {row.split("`")[1].partition("{")[0] for row in section.splitlines() if row.startswith("| `")}


def of_the_intake() -> list[CollectorRegistry]:
    parent = ParentMetrics()
    parent.watch(serving=float)
    return [processing_requests.service.build(IntakeSettings(), MemoryQueue()).metrics.registry, parent.registry]


def of_the_broker() -> list[CollectorRegistry]:
    archive = Archive(MemoryObjects())
    return [message_broker.service.build(BrokerSettings(), MemoryQueue(), archive).metrics.registry]


@pytest.mark.parametrize(
    ("app", "registries"), [("processing_requests", of_the_intake), ("message_broker", of_the_broker)]
)
async def test_the_metrics_are_those_of_the_service(
    app: str, registries: Callable[[], list[CollectorRegistry]]
) -> None:
    suffix = {"counter": "_total", "info": "_info"}
    families = [family for registry in registries() for family in registry.collect()]
    names = {f"{family.name}{suffix.get(family.type, '')}" for family in families}
    own = {name for name in names if not name.startswith("process_")}
    assert own == first_cells(app, "Metrics") - {"process_…"}


@pytest.mark.parametrize("app", SERVICES)
def test_the_log_events_are_those_of_the_code(app: str) -> None:
    sources = [path.read_text() for path in (REPOSITORY / "apps" / app).rglob("*.py")]
    events = {
        event for source in sources for event in re.findall(r'\.(?:debug|info|warning|error)\(\s*"(\w+)"', source)
    }
    events |= {event for source in sources for event in re.findall(r'log_summary\("(\w+)"', source)}
    told = first_cells(app, "Log events")
    assert events <= told
    elsewhere = {"queue_available", "queue_unavailable", "archive_available", "archive_unavailable", "unexpected_error"}
    assert told - events <= elsewhere | {"message_corrupted", "dead_letter_reason_cut_off", "traces_not_exported"}
