"""Where a command prints: results on stdout, as JSON or for a reader; progress and notes on stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line, for scripts.")]


def print_json(value: Mapping[str, object]) -> None:
    """One object on one line of stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def results() -> Console:
    """For a reader: stdout. Text that comes from outside is printed with `markup=False`, for it may hold markup."""
    return Console(file=sys.stdout, highlight=False)


def notes() -> Console:
    """Progress and what a person should know besides: stderr."""
    return Console(file=sys.stderr, highlight=False)
