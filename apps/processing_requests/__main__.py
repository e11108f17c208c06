"""Start the intake: settings, telemetry, run."""

import os
import sys

import uvloop

from checkpoint import parameters
from checkpoint.settings import SettingsError, load, references
from checkpoint.telemetry import configure_logging
from processing_requests.service import run
from processing_requests.settings import IntakeSettings


async def _main() -> None:
    settings = await load(IntakeSettings, os.environ, parameters.fetch)
    configure_logging(settings.log_level, settings.log_format)
    token_parameter = references(os.environ).get("TOKEN")

    async def refetch_tokens() -> str:
        return (await parameters.fetch([token_parameter or ""]))[token_parameter or ""]

    await run(settings, refetch_tokens if token_parameter else None)


try:
    uvloop.run(_main())
except (SettingsError, parameters.ParametersUnavailableError, ValueError, OSError) as error:
    sys.exit(f"processing_requests cannot start: {error}")
