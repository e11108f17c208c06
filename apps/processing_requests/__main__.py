"""Start the intake: settings, telemetry, run."""

import os
import signal
import sys

# Process 1 of a container is not ended by a signal that it has no handler for, and the service's own comes later.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

import structlog
import uvloop

from checkpoint.operations.telemetry import configure_logging, log_failure
from checkpoint.parameter_store import ParametersUnavailableError, fetch
from checkpoint.settings import SettingsError, load, references
from processing_requests.service import run
from processing_requests.settings import IntakeSettings


async def _main() -> None:
    settings = await load(IntakeSettings, os.environ, fetch)
    configure_logging(settings.log_level, settings.log_format)
    parameter = references(os.environ).get("TOKEN", "")

    async def fetch_tokens() -> str:
        return (await fetch([parameter]))[parameter]

    await run(settings, fetch_tokens if parameter else None)


try:
    uvloop.run(_main())
except (SettingsError, ParametersUnavailableError) as error:
    sys.exit(f"processing_requests cannot start: {error}")
except Exception as error:  # noqa: BLE001  whoever restarts it finds the reason in the log
    log_failure(structlog.get_logger(), error)
    sys.exit(1)
