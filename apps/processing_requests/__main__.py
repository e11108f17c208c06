"""The program processing_requests: answer the command line, or start the intake."""

import signal
import sys

# Process 1 of a container is not ended by a signal that it has no handler for, and the service's own comes later.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

from checkpoint.operations.command_line import parse
from processing_requests.settings import IntakeSettings


def main() -> None:
    """Run until the service is stopped; exit at once after `--help`, `--version`, `--check` or an unknown argument."""
    if parse("processing_requests", "Takes e-mail events over HTTP and puts them on a queue.", IntakeSettings):
        from processing_requests.self_check import check

        check()

    from processing_requests.start import start

    start()


if __name__ == "__main__":
    main()
