"""The commands `checkpoint dead-letters …`, with their options."""

import signal
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from command_line.dead_letters.listing import list_dead_letters
from command_line.dead_letters.moving import DROP, REDRIVE, Action, move_dead_letters
from command_line.dead_letters.selection import Reason, Selection, Since, Timestream, Until
from command_line.dead_letters.showing import show_dead_letters
from command_line.opening import open_queue
from command_line.output import Json
from command_line.running import ExitCode, run
from command_line.settings import CommandLineSettings

dead_letters: Final = typer.Typer(
    name="dead-letters",
    help="List, show, redrive and drop dead letters: messages that the broker could not archive.",
    epilog="SQS shows a dead letter by a receive alone, which hides it from others until the command ends, or for ten "
    "minutes if it is killed. It shows 120,000 at most; the next run goes on with the rest.",
    no_args_is_help=True,
)
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="As `list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="Every dead letter.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@dead_letters.command("list")
def list_(
    *,
    reason: Reason = "",
    timestream: Timestream = "",
    since: Since = None,
    until: Until = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many at most.")] = None,
    json: Json = False,
) -> None:
    """List dead letters with their reasons, never their contents."""
    selection = Selection(reason=reason, timestream=timestream, since=since, until=until)

    async def command(settings: CommandLineSettings) -> ExitCode:
        async with open_queue(settings) as admin:
            return await list_dead_letters(admin, selection, limit=limit, as_json=json)

    run(command)


@dead_letters.command()
def show(
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="As `list` shows them.")],
    *,
    content: Annotated[
        bool, typer.Option("--content", help="The content too. To a pipe: its exact bytes and nothing else.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write the exact bytes of the content to this file.", dir_okay=False)
    ] = None,
    json: Json = False,
) -> None:
    """Show what dead letters are, and why they are no e-mails; their contents only with --content or --output."""
    is_raw = content and not json and not sys.stdout.isatty()
    if len(set(ids)) > 1 and (output or is_raw):
        raise typer.BadParameter("exact bytes are those of one dead letter: name one ID, or add --json.")

    async def command(settings: CommandLineSettings) -> ExitCode:
        async with open_queue(settings) as admin:
            return await show_dead_letters(admin, ids, content=content, output=output, as_json=json)

    run(command)


@dead_letters.command()
def redrive(
    ids: Ids = None,
    *,
    reason: Reason = "",
    timestream: Timestream = "",
    since: Since = None,
    until: Until = None,
    all_: All = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Send dead letters to the queue again, once the cause is mended: by ID, by filter, or --all."""
    selection = Selection(frozenset(ids or ()), reason, timestream, since, until)
    _move(REDRIVE, selection, all_=all_, yes=yes, dry_run=dry_run, json=json)


@dead_letters.command()
def drop(
    ids: Ids = None,
    *,
    reason: Reason = "",
    timestream: Timestream = "",
    since: Since = None,
    until: Until = None,
    all_: All = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Delete dead letters for good: by ID, by filter, or --all."""
    selection = Selection(frozenset(ids or ()), reason, timestream, since, until)
    _move(DROP, selection, all_=all_, yes=yes, dry_run=dry_run, json=json)


def _move(action: Action, selection: Selection, *, all_: bool, yes: bool, dry_run: bool, json: bool) -> None:
    if selection.is_everything != all_:
        raise typer.BadParameter("name either IDs or filters, or --all.")
    if not (yes or dry_run or sys.stdin.isatty()):
        raise typer.BadParameter(f"there is no terminal to confirm at: add --yes to {action.name} without a question.")

    async def command(settings: CommandLineSettings) -> ExitCode:
        async with open_queue(settings) as admin:
            return await move_dead_letters(
                admin,
                action,
                selection,
                confirm=(lambda _: True) if yes else _ask,
                dry_run=dry_run,
                as_json=json,
            )

    run(command)


def _ask(question: str) -> bool:
    """At the terminal. Ctrl-C ends the program at once, and not only once the question is answered."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
    finally:
        signal.signal(signal.SIGINT, before)
