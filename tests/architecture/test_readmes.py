"""Each app's README lists its environment variables as its settings define them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from architecture.sources import APPS, REPOSITORY
from message_broker.circuit_breaker import State
from message_broker.metrics import Metrics as BrokerMetrics
from message_broker.settings import BrokerSettings
from processing_requests.metrics import Metrics as IntakeMetrics
from processing_requests.settings import IntakeSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.settings import Settings

ROWS: Final = pytest.mark.parametrize(
    ("app", "kind"), [("processing_requests", IntakeSettings), ("message_broker", BrokerSettings)]
)
# Defaults that are computed at the start.
COMPUTED: Final = {"TOKEN": "foobar", "ARCHIVE_URL": "file:///…/data/archive"}


def table(app: str) -> list[list[str]]:
    """The cells of the README's table with the columns name, default and meaning."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in (REPOSITORY / "apps" / app / "README.md").read_text().splitlines()
        if line.startswith("|")
    ]
    first = rows.index(["name", "default", "meaning"]) + 2
    return [row for row in rows[first:] if re.fullmatch(r"`[A-Z_]+`", row[0])]


def fields(kind: type[Settings]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name.upper(): field for field in msgspec.structs.fields(kind)}


@ROWS
def test_the_table_has_every_setting_once_and_says_what_it_means(app: str, kind: type[Settings]) -> None:
    rows = table(app)
    assert sorted(name.strip("`") for name, *_ in rows) == sorted(fields(kind))
    assert [name for name, _, *meaning in rows if not "".join(meaning)] == []


@ROWS
def test_the_table_has_the_default_of_every_setting(app: str, kind: type[Settings]) -> None:
    wrong = {}
    for name, default, *_ in table(app):
        field = fields(kind)[name.strip("`")]
        shown = next(iter(re.findall(r"`([^`]*)`", default)), "")
        expected = COMPUTED.get(name.strip("`"), field.default)
        if msgspec.convert(shown, field.type, strict=False) != expected:
            wrong[name] = f"{shown} where the default is {expected}"
    assert wrong == {}


METRICS: Final = pytest.mark.parametrize(
    ("app", "metrics"), [("processing_requests", IntakeMetrics), ("message_broker", BrokerMetrics)]
)


def first_cells(app: str, heading: str) -> set[str]:
    """The code in the first cell of each row of the table below a heading."""
    section = (REPOSITORY / "apps" / app / "README.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return {row.split("`")[1].partition("{")[0] for row in section.splitlines() if row.startswith("| `")}


@METRICS
def test_the_metrics_are_those_of_the_registry(app: str, metrics: Callable[[], IntakeMetrics | BrokerMetrics]) -> None:
    made = metrics()
    if isinstance(made, IntakeMetrics):
        made.watch(waiting=float, waiting_bytes=float, arriving_bytes=float)
    else:
        made.watch(in_flight=float, in_flight_bytes=float, circuit=lambda: State.OPEN, archive_up=float)
    suffix = {"counter": "_total", "info": "_info"}
    names = {f"{family.name}{suffix.get(family.type, '')}" for family in made.registry.collect()}
    own = {name for name in names if not name.startswith("process_")}
    assert own == first_cells(app, "Metrics") - {"process_…"}


@pytest.mark.parametrize("app", APPS)
def test_the_log_events_are_those_of_the_code(app: str) -> None:
    sources = [path.read_text() for path in (REPOSITORY / "apps" / app).glob("*.py")]
    events = {
        event for source in sources for event in re.findall(r'\.(?:debug|info|warning|error)\(\s*"(\w+)"', source)
    }
    events |= {event for source in sources for event in re.findall(r'log_summary\("(\w+)"', source)}
    told = first_cells(app, "Log events")
    assert events <= told
    elsewhere = {"queue_available", "queue_unavailable", "archive_available", "archive_unavailable", "unexpected_error"}
    assert told - events <= elsewhere | {"message_corrupted"}
