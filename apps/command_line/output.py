"""Where a command prints: results on stdout, as JSON or for a reader; progress and notes on stderr."""

from __future__ import annotations

import errno
import json
import os
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn, Self

import typer
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner as RichSpinner

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


class Spinner:
    """A sign on a terminal that something is under way: on stderr, and it leaves stdout alone.

    rich's own takes the place of sys.stdout, and prints on stderr what a script would read. As a context manager, or
    until `stop`, from any thread.
    """

    def __init__(self, text: str) -> None:
        self._sign = RichSpinner("dots", text)
        self._live = Live(
            self._sign,
            console=notes(),
            transient=True,
            refresh_per_second=10,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        if self._live.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def update(self, text: str) -> None:
        """Show another text."""
        self._sign.update(text=text)

    def stop(self) -> None:
        """Remove it: something is to be printed on the same terminal, maybe."""
        self._live.stop()
