"""The program checkpoint: what an operator asks of a queue, an archive and both services, and does with them."""

from command_line.application import application


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    application()


if __name__ == "__main__":
    main()
