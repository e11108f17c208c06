"""The program message_broker: answer the command line, or start the broker."""

import signal
import sys

# Process 1 of a container is not ended by a signal that it has no handler for, and the service's own comes later.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

from checkpoint.operations.command_line import parse
from message_broker.settings import BrokerSettings


def main() -> None:
    """Run until the service is stopped; exit at once after `--help`, `--version`, `--check` or an unknown argument."""
    if parse("message_broker", "Moves e-mail events from a queue into an archive.", BrokerSettings):
        from message_broker.self_check import check

        check()

    from message_broker.start import start

    start()


if __name__ == "__main__":
    main()
