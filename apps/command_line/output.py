"""Where a command prints: results on stdout, as JSON or for a reader; progress and notes on stderr."""

from __future__ import annotations

import errno
import json
import os
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line, for scripts.")]


class _Console(Console):
    """Rich's own would end the program in the middle of a task where nobody reads any more."""

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def print_json(value: Mapping[str, object]) -> None:
    """One object on one line of stdout, in ASCII: a terminal obeys some characters that JSON lets stand."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def results() -> Console:
    """For a reader: stdout. Text that comes from outside is printed with `markup=False`, for it may hold markup."""
    return _Console(file=sys.stdout, highlight=False)


def notes() -> Console:
    """Progress and what a person should know besides: stderr."""
    return _Console(file=sys.stderr, highlight=False)
