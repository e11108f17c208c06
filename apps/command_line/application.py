"""The commands of `checkpoint`, each under its name."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from checkpoint.version import VERSION
from command_line.check import check
from command_line.dead_letters.commands import dead_letters
from command_line.finding.commands import find
from command_line.posting.commands import post, replay
from command_line.query.commands import export, query
from command_line.reconciling.command import reconcile
from command_line.status.commands import status

application: Final = typer.Typer(
    name="checkpoint",
    help="Finds e-mails, dead letters and what is wrong, wherever the queue and the archive are. "
    "It takes the services' own settings: QUEUE_URL, ARCHIVE_URL, TOKEN.",
    epilog="Exit codes: 0 it is as asked; 1 it is not; 2 the command or a setting is wrong; "
    "3 a service, the queue or the archive could not be asked.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its frames show local variables: e-mails and tokens
    rich_markup_mode="rich",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  a callback of typer's
    if wanted:
        typer.echo(f"checkpoint {VERSION}")
        raise typer.Exit


@application.callback()
def checkpoint(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version, and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Hold the options of the program itself."""


application.command()(status)
application.command()(find)
application.add_typer(dead_letters)
application.command()(post)
application.command()(replay)
application.command()(reconcile)
application.command()(query)
application.command()(export)
application.command()(check)
