"""`--check`: whether the broker could start and do its work here; nothing is changed."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, NoReturn

from checkpoint.archive.adapters import inspect_archive
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.message_queue.adapters import inspect_receiving
from checkpoint.message_queue.port import NoDeadLetterQueueError, QueueUnavailableError
from checkpoint.operations.exiting import exit_at_once
from checkpoint.operations.findings import Finding, examine, report
from checkpoint.operations.tracing import is_on
from checkpoint.parameter_store import ParametersUnavailableError, fetch
from checkpoint.settings import SettingsError, load
from message_broker.settings import BrokerSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checkpoint.settings import Fetch


def check() -> NoReturn:
    """Print a line for each thing, and exit with 0 or 1."""
    exit_at_once(report(asyncio.run(findings(os.environ, fetch))))


async def findings(environ: Mapping[str, str], fetch: Fetch) -> list[Finding]:
    """What was found. fetch: as `load` has it."""
    try:
        settings = await load(BrokerSettings, environ, fetch)
        is_on(environ)
    except (SettingsError, ParametersUnavailableError) as error:
        return [Finding("settings", is_good=False, text=line) for line in str(error).splitlines()]
    of_queue = (NoDeadLetterQueueError, QueueUnavailableError, ValueError)
    return [
        Finding("settings", is_good=True, text="can be used"),
        await examine("queue", inspect_receiving(settings.queue_url), of_queue),
        await examine("archive", inspect_archive(settings.archive_url), (ArchiveUnavailableError, ValueError)),
    ]
