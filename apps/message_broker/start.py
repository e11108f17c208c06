"""Start the broker: settings, telemetry, run."""

import os
import sys
from typing import NoReturn

import structlog
import uvloop

from checkpoint.operations.exiting import exit_at_once
from checkpoint.operations.telemetry import configure_logging, log_failure
from checkpoint.parameter_store import ParametersUnavailableError, fetch
from checkpoint.settings import SettingsError, load
from message_broker.service import run
from message_broker.settings import BrokerSettings


async def _load_and_run() -> None:
    settings = await load(BrokerSettings, os.environ, fetch)
    configure_logging(settings.log_level, settings.log_format)
    await run(settings)


def start() -> NoReturn:
    """Run the service until it is stopped; exit with 1 and the reason where it cannot start or fails."""
    try:
        uvloop.run(_load_and_run())
    except (SettingsError, ParametersUnavailableError) as error:
        sys.exit(f"message_broker cannot start: {error}")
    except Exception as error:  # noqa: BLE001  whoever restarts it finds the reason in the log
        log_failure(structlog.get_logger(), error)
        exit_at_once(1)
    exit_at_once(0)
