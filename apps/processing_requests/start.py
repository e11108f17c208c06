"""Start the intake: settings, telemetry, run."""

import os
import sys

import structlog
import uvloop

from checkpoint.operations.telemetry import configure_logging, log_failure
from checkpoint.parameter_store import ParametersUnavailableError, fetch
from checkpoint.settings import SettingsError, load, references
from processing_requests.service import run
from processing_requests.settings import IntakeSettings
from processing_requests.workers.cpus import available_cpus
from processing_requests.workers.parent import run_workers


async def _load_and_run() -> int:
    """Returns the exit code."""
    settings = await load(IntakeSettings, os.environ, fetch)
    configure_logging(settings.log_level, settings.log_format)
    parameter = references(os.environ).get("TOKEN", "")

    async def fetch_tokens() -> str:
        return (await fetch([parameter]))[parameter]

    count = available_cpus() if settings.workers == "auto" else int(settings.workers)
    if count > 1:
        return 0 if await run_workers(settings, count, fetch_tokens if parameter else None) else 1
    await run(settings, fetch_tokens if parameter else None)
    return 0


def start() -> None:
    """Run the service until it is stopped; exit with 1 and the reason where it cannot start or fails."""
    try:
        sys.exit(uvloop.run(_load_and_run()))
    except (SettingsError, ParametersUnavailableError) as error:
        sys.exit(f"processing_requests cannot start: {error}")
    except Exception as error:  # noqa: BLE001  whoever restarts it finds the reason in the log
        log_failure(structlog.get_logger(), error)
        sys.exit(1)
