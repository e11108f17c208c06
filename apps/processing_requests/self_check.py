"""`--check`: whether the intake could start and do its work here; nothing is changed."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, NoReturn

from checkpoint.message_queue.adapters import inspect_sending
from checkpoint.message_queue.port import QueueUnavailableError
from checkpoint.operations.exiting import exit_at_once
from checkpoint.operations.findings import Finding, examine, report
from checkpoint.operations.tracing import is_on
from checkpoint.parameter_store import ParametersUnavailableError, fetch
from checkpoint.settings import SettingsError, convert_to_settings_error, load
from processing_requests.settings import IntakeSettings
from processing_requests.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checkpoint.settings import Fetch


def check() -> NoReturn:
    """Print a line for each thing, and exit with 0 or 1."""
    exit_at_once(report(asyncio.run(findings(os.environ, fetch))))


async def findings(environ: Mapping[str, str], fetch: Fetch) -> list[Finding]:
    """What was found. fetch: as `load` has it."""
    try:
        settings = await load(IntakeSettings, environ, fetch)
        is_on(environ)
        with convert_to_settings_error():
            Tokens(settings.tokens)
    except (SettingsError, ParametersUnavailableError) as error:
        return [Finding("settings", is_good=False, text=line) for line in str(error).splitlines()]
    return [
        Finding("settings", is_good=True, text="can be used"),
        await examine("queue", inspect_sending(settings.queue_url), (QueueUnavailableError, ValueError)),
    ]
