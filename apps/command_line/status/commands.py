"""The command `status`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer
from rich.live import Live

from command_line.opening import open_queue
from command_line.output import Json, print_json, results
from command_line.running import ExitCode, run
from command_line.status.drawing import Drawing
from command_line.status.state import Looking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from rich.console import Console

    from command_line.settings import CommandLineSettings
    from command_line.status.state import Status

_RATE_SECONDS: Final = 1.0
_EVERY_SECONDS: Final = 2.0


def status(
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Ask again and again, until Ctrl-C.")] = False,
    seconds: Annotated[
        float, typer.Argument(metavar="[SECONDS]", min=0.2, help="With --watch: the time between two looks.")
    ] = _EVERY_SECONDS,
    as_json: Json = False,
) -> None:
    """Show whether all is well: both services, the queue, dead letters, and how much is archived.

    It exits with 0 where all is well, 1 where a service is not ready or does not answer, the queue does not answer, or
    there are dead letters, and 3 where nothing answers. A service's warnings do not change that.
    """

    async def command(settings: CommandLineSettings) -> ExitCode:
        drawing = Drawing(queue=described(settings.queue_url), archive=described(settings.archive_url))
        async with looking_at(settings) as looking:
            if watch and as_json:
                return await watch_in(looking, seconds, lambda found: print_json(found.as_json()))
            if watch:
                return await watch_on(results(), looking, drawing, seconds)
            found = await looking.look()
            if found.has_counts:
                await asyncio.sleep(_RATE_SECONDS)  # for the rates
                found = await looking.look()
        if as_json:
            print_json(found.as_json())
        else:
            results().print(drawing.draw(found))
        return found.code

    run(command)


@asynccontextmanager
async def looking_at(settings: CommandLineSettings) -> AsyncIterator[Looking]:
    """Look at what the settings name. Raises SettingsError for a queue that cannot be opened."""
    import aiohttp  # noqa: PLC0415  slow to import, and not every command asks

    async with open_queue(settings) as queue, aiohttp.ClientSession() as http:
        yield Looking(
            queue,
            http,
            intake_url=settings.intake_private_url,
            broker_url=settings.broker_private_url,
            archive_url=settings.archive_url,
        )


async def watch_on(
    console: Console, looking: Looking, drawing: Drawing, seconds: float, *, looks: int | None = None
) -> ExitCode:
    """Draw on a console, in place where it is a terminal. looks: how many; None for as long as nobody ends it."""
    if not console.is_terminal:
        return await watch_in(looking, seconds, lambda found: console.print(drawing.draw(found)), looks=looks)
    with Live(console=console, auto_refresh=False, screen=False) as live:
        return await watch_in(
            looking, seconds, lambda found: live.update(drawing.draw(found), refresh=True), looks=looks
        )


async def watch_in(
    looking: Looking, seconds: float, show: Callable[[Status], object], *, looks: int | None = None
) -> ExitCode:
    """Look, and show it, so often or for ever."""
    while True:
        found = await looking.look()
        show(found)
        looks = None if looks is None else looks - 1
        if looks == 0:
            return found.code
        await asyncio.sleep(seconds)


def described(url: str) -> str:
    """A URL without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
