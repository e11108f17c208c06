"""The services as real processes: started, waited for, stopped or killed, and their logs read."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from e2e.ports import free_port
from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STOP_SECONDS: Final = 15


class Service:
    """One process of a program.

    directory: where it is started, and where its log is. file_limit: how many files it may open, if not the usual.
    through: a module that starts the program, whose name it gets, in place of Python.
    """

    def __init__(
        self,
        program: str,
        environment: Mapping[str, str],
        directory: Path,
        log: Path,
        *,
        file_limit: int | None = None,
        through: str | None = None,
    ) -> None:
        self.program = program
        self.port = int(environment.get("PORT", "0"))
        self.private_port = int(environment["PRIVATE_PORT"])
        self._log = log
        limited = ["prlimit", f"--nofile={file_limit}:{file_limit}"] if file_limit else []
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*limited, sys.executable, "-m", *([through] if through else []), program],
                cwd=directory,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(errors="replace")

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its log, line by line; fails on a line that is not JSON."""
        return [json.loads(line) for line in self.log.splitlines()]

    def readiness(self) -> tuple[int, dict[str, Any]]:
        """The status and the body of /readyz; 0 where nothing listens yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.private_port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except OSError:
            return 0, {}
        finally:
            connection.close()

    def is_ready(self) -> bool:
        """Whether it says so; one that is killed in the middle of its answer does not."""
        try:
            return self.readiness()[0] == 200
        except (http.client.HTTPException, ValueError):
            return False

    def wait_until_ready(self) -> None:
        """Return when it is ready; fail where it ends instead."""
        until(lambda: self.process.poll() is not None or self.is_ready(), f"{self.program} is ready")
        assert self.process.poll() is None, f"{self.program} ended:\n{self.log}"

    def terminate(self) -> int:
        """Ask it to stop; its exit code when it has."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)


class Services:
    """Starts services, and ends them all on exit.

    environment: what every one of them gets, beside what any process needs. directory: where they are started.
    file_limit: as `Service` has it.
    """

    def __init__(self, environment: dict[str, str], directory: Path) -> None:
        self.environment = environment
        self.file_limit: int | None = None
        self.all: list[Service] = []
        self._directory = directory

    def intake(self, **more: str) -> Service:
        """A ready processing_requests."""
        return self._ready("processing_requests", {"PORT": str(free_port())} | more)

    def broker(self, **more: str) -> Service:
        """A ready message_broker."""
        return self._ready("message_broker", more)

    def start(self, program: str, **more: str) -> Service:
        """A service that may not be ready yet."""
        common = {
            "HOME": str(self._directory),
            "LOG_LEVEL": "debug",
            "PATH": os.environ["PATH"],
            "PRIVATE_PORT": str(free_port()),
            "PYTHONUNBUFFERED": "1",
        }
        log = self._directory / f"{len(self.all)}-{program}.log"
        service = Service(program, common | self.environment | more, self._directory, log, file_limit=self.file_limit)
        self.all.append(service)
        return service

    def kill_all(self) -> None:
        """End whatever still runs."""
        for service in self.all:
            service.kill()

    def _ready(self, program: str, more: Mapping[str, str]) -> Service:
        service = self.start(program, **more)
        service.wait_until_ready()
        return service
