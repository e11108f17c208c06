"""Rows of a query on stdout: as a table for a reader, as CSV, or as JSON."""

from __future__ import annotations

import csv
import json
import sys
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from command_line.output import notes, results
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Row = Sequence[str | None]

_LONGEST_CELL: Final = 200  # characters; a table is for looking at
_NULL: Final = Text("NULL", style="dim")


def print_table(columns: Sequence[str], rows: Iterator[Row], *, limit: int) -> None:
    """A table of the first rows, and a note on stderr where there are more. limit: 0 for all."""
    shown = list(islice(rows, limit or None))
    more = bool(limit) and next(rows, None) is not None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    numeric = [bool(shown) and all(_is_number(row[place]) for row in shown) for place in range(len(columns))]
    for name, is_numeric in zip(columns, numeric, strict=True):
        justify = "right" if is_numeric else "left"
        table.add_column(Text(harmless(name)), justify=justify, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
    for row in shown:
        table.add_row(*(_cell(value) for value in row))
    console = results()
    if not console.is_terminal:  # what another program reads has no width
        unbounded = console.options.update(max_width=1_000_000)
        console.width = max(console.width, console.measure(table, options=unbounded).maximum)
    console.print(table)
    if more:
        notes().print(f"Only the first {limit:,} rows are shown. --limit, --csv and --json show more.")


def print_csv(columns: Sequence[str], rows: Iterator[Row]) -> None:
    """All rows as CSV (RFC 4180, but for its line ends); NULL is empty."""
    is_terminal = sys.stdout.isatty()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    first = list(islice(rows, 1))  # before anything is printed: it may fail, or show on the terminal that it waits
    writer.writerow(columns)
    for row in chain(first, rows):
        writer.writerow([harmless(value) if value and is_terminal else value for value in row])


def print_rows(rows: Iterable[str]) -> None:
    """All rows as JSON objects, one per line."""
    for row in rows:
        # DuckDB writes NaN and Infinity, which are not JSON (RFC 8259, section 6).
        value = json.loads(row, parse_constant=lambda _: None)
        sys.stdout.write(json.dumps(value, ensure_ascii=sys.stdout.isatty()) + "\n")


def _cell(value: str | None) -> Text:
    if value is None:
        return _NULL
    text = harmless(value[: _LONGEST_CELL + 1])
    return Text(text if len(value) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…")


def _is_number(value: str | None) -> bool:
    return value is None or value.replace(".", "", 1).removeprefix("-").isdigit()
