"""The command `find`, which answers where an e-mail is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from command_line.finding.places import search
from command_line.finding.sought import Sought
from command_line.moments import written
from command_line.opening import open_archive, open_queue
from command_line.output import Json, Spinner, notes, print_json, results
from command_line.running import ExitCode, run
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from command_line.finding.places import Found, Search
    from command_line.settings import CommandLineSettings


def find(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RECEIPT|TIMESTREAM",
            help="A receipt, as `checkpoint post` writes it, or a file with one; or a timestream; "
            "or an identity of 64 digits, for which the whole archive is read.",
        ),
    ],
    first_digits: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="With a timestream: the identity, or its first digits.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Say where an e-mail is: archived, waiting, in flight, or dead-lettered; it may be in several places.

    It exits with 0 where it was found, 1 where it was not, 3 where it was not and something could not be asked.
    """

    async def command(settings: CommandLineSettings) -> ExitCode:
        sought = Sought.read(what, first_digits)
        async with open_queue(settings) as queue, open_archive(settings) as store:
            if sought.timestream:
                result = await search(sought, queue, store)
            else:
                notes().print("An identity alone does not say where to look: the whole archive is read.")
                with Spinner("Reading the archive…") as spinner:
                    result = await search(
                        sought, queue, store, lambda listed: spinner.update(f"Reading the archive: {listed:,} objects…")
                    )
        _print(result, as_json=as_json)
        if result.found:
            return ExitCode.AS_ASKED
        return ExitCode.UNAVAILABLE if result.problems else ExitCode.NOT_AS_ASKED

    run(command)


def _print(result: Search, *, as_json: bool) -> None:
    for found in result.found.values():
        if as_json:
            print_json(_as_json(found))
        else:
            results().print(_line(found), soft_wrap=True)
    console = notes()
    for problem in result.problems:
        console.print(Text(f"Not asked: {harmless(problem)}"), soft_wrap=True)
    if not as_json and not result.found and not result.problems:
        results().print(_nothing(result), soft_wrap=True)
    elif as_json and not result.found:
        unsearched = result.depth and {"waiting": result.depth.waiting, "in_flight": result.depth.in_flight}
        print_json({"found": False, "problems": result.problems, "not_searched": unsearched})
    elif result.depth:
        console.print(f"This queue cannot be searched: {_waiting(result)}.")


def _nothing(result: Search) -> str:
    dead = "not dead-lettered" if result.has_dead_letter_queue else "there is no dead-letter queue"
    if result.depth:
        return f"not archived, {dead}; the queue cannot be searched: {_waiting(result)}"
    return f"not archived, {dead}, not on the queue"


def _waiting(result: Search) -> str:
    return f"{result.depth.waiting:,} waiting, {result.depth.in_flight:,} in flight" if result.depth else ""


def _line(found: Found) -> Text:
    places = [("archived as ", "green", name) for name in found.objects]
    for message in found.queued:
        received = _received(message.receive_count)
        if message.hidden_seconds > 0:
            places.append(("in flight", "cyan", f", hidden for {message.hidden_seconds:.0f} s more{received}"))
        else:
            places.append(("waiting", "cyan", received + _at(", sent ", message.sent_at)))
    for letter in found.dead_letters:
        reason = letter.reason or "no reason is known: it was received as often as the queue allows"
        places.append(("dead-lettered", "red", f"{_at(' ', letter.dead_at)}: {reason}"))
    line = Text(f"{found.identity[:16]}  {harmless(found.timestream) or '-'}  ")
    for place, (state, style, more) in enumerate(places):
        line.append("; " if place else "").append(state, style).append(harmless(more))
    return line


def _received(count: int) -> str:
    if not count:
        return ""
    return ", received once" if count == 1 else f", received {count} times"


def _as_json(found: Found) -> dict[str, object]:
    return {
        "identity": found.identity,
        "timestream": found.timestream,
        "objects": found.objects,
        "queued": [
            {
                "state": "in_flight" if message.hidden_seconds > 0 else "waiting",
                "receive_count": message.receive_count,
                "sent_at": _written(message.sent_at),
                "hidden_seconds": round(message.hidden_seconds, 1),
            }
            for message in found.queued
        ],
        "dead_letters": [
            {
                "id": letter.id,
                "reason": letter.reason,
                "receive_count": letter.receive_count,
                "sent_at": _written(letter.sent_at),
                "dead_at": _written(letter.dead_at),
            }
            for letter in found.dead_letters
        ],
    }


def _at(words: str, seconds: float | None) -> str:
    moment = _written(seconds)
    return f"{words}{moment}" if moment else ""


def _written(seconds: float | None) -> str | None:
    return written(seconds, "seconds")
