"""Start the broker: settings, telemetry, run."""

import os
import sys

import uvloop

from checkpoint import parameters
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.settings import SettingsError, load
from checkpoint.telemetry import configure_logging
from message_broker.service import run
from message_broker.settings import BrokerSettings


async def _main() -> None:
    settings = await load(BrokerSettings, os.environ, parameters.fetch)
    configure_logging(settings.log_level, settings.log_format)
    await run(settings)


try:
    uvloop.run(_main())
except (SettingsError, parameters.ParametersUnavailableError, ArchiveUnavailableError, ValueError, OSError) as error:
    sys.exit(f"message_broker cannot start: {error}")
