"""The program checkpoint: what an operator asks of a queue, an archive and both services, and does with them."""

from checkpoint.operations.exiting import exit_at_once
from command_line.application import application


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    try:
        application()
    except SystemExit as ended:
        exit_at_once(ended.code if isinstance(ended.code, int) else int(ended.code is not None))


if __name__ == "__main__":
    main()
