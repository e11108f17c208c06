"""The end of a program that has used obstore."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn


def exit_at_once(code: int) -> NoReturn:
    """End the process with a code, without Python's own end; what was printed is written.

    obstore's threads outlive its calls. One that comes to Python while Python ends aborts the process, in about one of
    a hundred short runs: https://github.com/PyO3/pyo3-async-runtimes/issues/40
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed by who read it
            stream.flush()
    os._exit(code)
