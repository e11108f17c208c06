"""`make run` as a user sees it: the program behind it, with its own ports and its own directory."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY: Final = Path(__file__).parents[2]
STOP_SECONDS: Final = 15


class Run:
    """One `make run`, in its own session.

    on_terminal: whether its output is a terminal, or else a pipe.
    """

    def __init__(self, environment: Mapping[str, str], log: Path, *, on_terminal: bool = False) -> None:
        self._log = log
        reading, writing = pty.openpty() if on_terminal else os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "dev/run.py"],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"} | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
        os.close(writing)
        self._recorder = threading.Thread(target=_record, args=(reading, log))
        self._recorder.start()

    @property
    def output(self) -> str:
        """All that it has printed."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def is_over(self) -> bool:
        return self._process.poll() is not None

    def curl(self) -> str:
        """The line to paste, as soon as it is printed."""
        until(lambda: self.is_over or "Ctrl-C" in self.output, "a curl line is printed")
        lines = [line for line in self.output.splitlines() if line.lstrip().startswith("curl ")]
        if len(lines) != 1:
            pytest.fail(f"There is not one curl line:\n{self.output}")
        return lines[0]

    def interrupt(self) -> int:
        """Do what Ctrl-C does, which reaches every process of the terminal's foreground; return the exit code."""
        if not self.is_over:
            os.killpg(self._process.pid, signal.SIGINT)
        exit_code = self._process.wait(STOP_SECONDS)
        self._recorder.join(STOP_SECONDS)
        return exit_code


def _record(reading: int, log: Path) -> None:
    with open(reading, "rb", buffering=0) as terminal, log.open("wb", buffering=0) as copy, suppress(OSError):
        shutil.copyfileobj(terminal, copy)  # a terminal without a writer is an OSError
