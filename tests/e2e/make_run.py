"""`make run` as a user sees it: the program behind it, with its own ports and its own directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY: Final = Path(__file__).parents[2]
STOP_SECONDS: Final = 15


class Run:
    """One `make run`, in its own session, as in its own terminal."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "dev/run.py"],
                cwd=REPOSITORY,
                env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"} | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """All that was printed on the terminal."""
        return self._log.read_text()

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
        return self._process.wait(STOP_SECONDS)
