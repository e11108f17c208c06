"""Our own services as processes: started and waited for until they are ready, looked at, stopped."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_START_SECONDS: Final = 20
_STOP_SECONDS: Final = 40
_ANSWER_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.05


class ServiceEndedError(Exception):
    """A service ended though nobody stopped it, or was not ready in time."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service that runs."""

    process: subprocess.Popen[bytes]
    port: int
    private_port: int
    log: Path

    def check(self) -> None:
        """Raise ServiceEndedError where it has ended."""
        if self.process.poll() is not None:
            raise self.failure(f"ended with {self.process.returncode}")

    def is_ready(self) -> bool:
        """Whether it says so."""
        try:
            self._get("readyz")
        except OSError:  # nobody listens, or another status than 200
            return False
        return True

    def metric(self, sample: str) -> int:
        """The value of one sample of its metrics, by its name and labels; 0 where there is none."""
        lines = (line.rpartition(" ") for line in self._get("metrics").splitlines())
        return next((int(float(value)) for name, _, value in lines if name == sample), 0)

    def failure(self, what: str) -> ServiceEndedError:
        """An error that shows the end of its log."""
        return ServiceEndedError(f"{self.process.args!r} {what}:\n{self.log.read_text(errors='replace')[-4000:]}")

    def _get(self, path: str) -> str:
        url = f"http://127.0.0.1:{self.private_port}/{path}"
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as response:
            text: str = response.read().decode()
            return text


@contextmanager
def started(program: str, directory: Path, environment: Mapping[str, str]) -> Iterator[Service]:
    """A service that is ready, on PORT and PRIVATE_PORT of its environment. Stops it on exit.

    Raises ServiceEndedError.
    """
    log = directory / f"{program}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", program], cwd=directory, env=environment, stdout=output, stderr=output
        )
    service = Service(process, int(environment["PORT"]), int(environment["PRIVATE_PORT"]), log)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not service.is_ready():
            service.check()
            if time.monotonic() > deadline:
                raise service.failure(f"was not ready within {_START_SECONDS} s")
            time.sleep(_POLL_SECONDS)
        yield service
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
