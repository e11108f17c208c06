"""Each app's README lists its environment variables as its settings define them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from architecture.sources import REPOSITORY
from message_broker.settings import BrokerSettings
from processing_requests.settings import IntakeSettings

if TYPE_CHECKING:
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
