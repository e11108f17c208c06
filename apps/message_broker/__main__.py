"""Start the broker: settings, telemetry, run."""

import os
import signal
import sys

# Process 1 of a container is not ended by a signal that it has no handler for, and the service's own comes later.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

import structlog
import uvloop

from checkpoint.operations.telemetry import configure_logging, log_failure
from checkpoint.parameter_store import ParametersUnavailableError, fetch
from checkpoint.settings import SettingsError, load
from message_broker.service import run
from message_broker.settings import BrokerSettings


async def _main() -> None:
    settings = await load(BrokerSettings, os.environ, fetch)
    configure_logging(settings.log_level, settings.log_format)
    await run(settings)


try:
    uvloop.run(_main())
except (SettingsError, ParametersUnavailableError) as error:
    sys.exit(f"message_broker cannot start: {error}")
except Exception as error:  # noqa: BLE001  whoever restarts it finds the reason in the log
    log_failure(structlog.get_logger(), error)
    sys.exit(1)
