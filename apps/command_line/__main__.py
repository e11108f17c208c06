"""The program checkpoint: what an operator asks of a queue, an archive and both services, and does with them."""

import os
import sys
from contextlib import suppress

from checkpoint.operations.exiting import exit_at_once
from command_line.application import application


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    _open_standard_streams()
    try:
        application()
    except SystemExit as ended:
        exit_at_once(ended.code if isinstance(ended.code, int) else int(ended.code is not None))


def _open_standard_streams() -> None:
    """Where a shell has closed one, `<&-` or `>&-`, the next file that is opened would take its place."""
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            with suppress(OSError):
                os.close(descriptor)
            setattr(sys, name, open(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))  # noqa: PTH123, SIM115


if __name__ == "__main__":
    main()
