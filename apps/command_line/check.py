"""The command `check`: settings, rights and reachability of everything, and nothing is changed."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from rich.text import Text

from checkpoint.archive.adapters import open_listed_store
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.message_queue.adapters import open_admin
from checkpoint.message_queue.port import QueueUnavailableError
from checkpoint.operations.findings import Finding, examine
from checkpoint.parameter_store import ParametersUnavailableError, fetch
from checkpoint.settings import SettingsError, load
from checkpoint.version import VERSION
from command_line.output import Json, print_json, results
from command_line.running import ExitCode, run_without_settings
from command_line.services import ask_service
from command_line.settings import CommandLineSettings
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from checkpoint.settings import Fetch
    from command_line.services import ServiceState

# The intake refuses e-mails that are dated further ahead than CLOCK_SKEW_SECONDS, 300 by default: well before that.
_CLOCK_SECONDS: Final = 60
_STYLES: Final = {True: "green", False: "bold red", None: "dim"}


def check(*, as_json: Json = False) -> None:
    """Check settings, rights and that everything can be reached; change nothing.

    It exits with 0 where all is well, else with 1.
    """

    async def command() -> ExitCode:
        code = ExitCode.AS_ASKED
        async for finding in findings(os.environ, fetch):
            if as_json:
                print_json({"check": finding.name, "ok": finding.is_good, "text": finding.text})
            else:
                mark = Text(finding.mark, style=_STYLES[finding.is_good])
                results().print(mark, Text(f"{finding.name}: {harmless(finding.text)}"), soft_wrap=True)
            if finding.is_good is False:
                code = ExitCode.NOT_AS_ASKED
        return code

    run_without_settings(command)


async def findings(environ: Mapping[str, str], fetch: Fetch) -> AsyncIterator[Finding]:
    """What is found, one after the other. fetch: as `load` has it."""
    try:
        settings = await load(CommandLineSettings, environ, fetch)
    except (SettingsError, ParametersUnavailableError) as error:
        for line in str(error).splitlines():
            yield Finding("settings", is_good=False, text=line)
        return
    yield Finding("settings", is_good=True, text="can be used")
    async with asyncio.TaskGroup() as asking:  # at once: each may be one that never answers
        checks = [
            asking.create_task(_queue(settings.queue_url)),
            asking.create_task(_archive(settings.archive_url)),
            asking.create_task(_service("intake", settings.intake_private_url)),
            asking.create_task(_service("broker", settings.broker_private_url)),
        ]
        for check in checks:
            for finding in await check:
                yield finding


def of_service(name: str, state: ServiceState) -> list[Finding]:
    """What a private port's answer comes to."""
    variable = f"{name.upper()}_PRIVATE_URL"
    if state.problem:
        way_out = f"start it, or say by {variable} where it is"
        return [Finding(name, is_good=False, text=f"{state.problem}: {way_out}")]
    other = "" if state.version == VERSION else f"; this program is {VERSION}"
    version = f"version {state.version or 'unknown'}{other}"
    found = [
        Finding(name, is_good=False, text=f"not ready: {condition}: {reason}")
        for condition, reason in state.faults.items()
    ]
    if state.is_ready:
        found.append(Finding(name, is_good=True, text=f"ready, {version}"))
    found += [
        Finding(f"{name}'s warning", is_good=None, text=f"{warned}: {reason}")
        for warned, reason in state.warnings.items()
    ]
    if state.clock_seconds is not None:
        seconds = abs(state.clock_seconds)
        way = "ahead" if state.clock_seconds > 0 else "behind"
        if seconds > _CLOCK_SECONDS:
            text = f"{seconds:.0f} s {way} of this machine's: set both by NTP; e-mails dated ahead are refused"
            found.append(Finding(f"{name}'s clock", is_good=False, text=text))
        else:
            found.append(Finding(f"{name}'s clock", is_good=True, text="agrees with this machine's"))
    return found


async def _queue(url: str) -> list[Finding]:
    has_dead_letter_queue: bool | None = None

    async def ask() -> str:
        nonlocal has_dead_letter_queue
        async with open_admin(url) as queue:
            depth = await queue.depth()
        has_dead_letter_queue = depth.dead_letters is not None
        return f"answers; {depth.waiting:,} waiting, {depth.in_flight:,} in flight"

    found = [_naming("QUEUE_URL", await examine("queue", ask(), (QueueUnavailableError, ValueError)))]
    if has_dead_letter_queue:
        found.append(Finding("dead-letter queue", is_good=True, text="is there"))
    elif has_dead_letter_queue is False:
        text = "there is none: set a RedrivePolicy on the queue"
        found.append(Finding("dead-letter queue", is_good=False, text=text))
    return found


async def _archive(url: str) -> list[Finding]:
    """The first objects are asked for, and no more."""

    async def ask() -> str:
        async with open_listed_store(url) as store:
            async for _ in store.objects():
                return "can be listed"
        return "can be listed; nothing is there yet"

    return [_naming("ARCHIVE_URL", await examine("archive", ask(), (ArchiveUnavailableError, ValueError)))]


async def _service(name: str, url: str) -> list[Finding]:
    import aiohttp  # noqa: PLC0415  slow to import, and not every command asks

    if not url:
        return [Finding(name, is_good=None, text=f"not asked: {name.upper()}_PRIVATE_URL is empty")]
    async with aiohttp.ClientSession() as http:
        return of_service(name, await ask_service(http, url))


def _naming(setting: str, finding: Finding) -> Finding:
    """A fault with the setting that says what was asked."""
    return finding if finding.is_good else finding._replace(text=f"{setting}: {finding.text}")
