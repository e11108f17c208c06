"""Containers, run with the command line of docker or podman."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

STOP_SECONDS: Final = 15
# How a hardened cluster runs a container.
HARDENED: Final = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")


class Engine:
    """docker or podman.

    `containers` and `volumes` hold what was created, until `remove_all`.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self.containers: list[Container] = []
        self.volumes: list[str] = []

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command, whatever its exit code."""
        return subprocess.run([self._command, *arguments], capture_output=True, text=True, check=False)

    def ask(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        ended = self.run(*arguments)
        assert ended.returncode == 0, f"{self._command} {' '.join(arguments)}: {ended.stderr}"
        return ended.stdout.strip()

    def inspect(self, image: str) -> dict[str, Any]:
        """An image's configuration in one form for both engines: the fields of OCI, and docker's Healthcheck."""
        [inspected] = json.loads(self.ask("image", "inspect", image))
        healthcheck = inspected.get("HealthCheck") or inspected.get("Healthcheck")  # podman has it outside of Config
        found: dict[str, Any] = ({"Healthcheck": healthcheck} if healthcheck else {}) | inspected["Config"]
        return found

    def volume(self) -> str:
        """The name of a new volume."""
        self.volumes.append(self.ask("volume", "create"))
        return self.volumes[-1]

    def start(self, image: str, *options: str, command: Sequence[str] = ()) -> Container:
        """Start a hardened container. Its health check runs only when a test asks for it.

        command: what it runs in place of its service.
        """
        replaced = [f"--entrypoint={command[0]}"] if command else []
        # By default podman mounts writable file systems on a read-only root.
        hardened = (*HARDENED, "--read-only-tmpfs=false") if self._command == "podman" else HARDENED
        self.containers.append(
            Container(
                self,
                self.ask("run", "--detach", "--no-healthcheck", *hardened, *replaced, *options, image, *command[1:]),
            )
        )
        return self.containers[-1]

    def remove_all(self) -> None:
        """Remove all containers and volumes that were created."""
        for container in reversed(self.containers):  # a later one may use an earlier one's network
            self.run("kill", container.id)  # at once; it may have ended before
            self.ask("rm", "--force", "--volumes", container.id)
        for volume in self.volumes:
            self.ask("volume", "rm", volume)


class Container:
    """One container of an engine."""

    def __init__(self, engine: Engine, identifier: str) -> None:
        self.id = identifier
        self._engine = engine

    @property
    def log(self) -> str:
        """Its output so far."""
        ended = self._engine.run("logs", self.id)
        return ended.stdout + ended.stderr

    @property
    def is_running(self) -> bool:
        return self._engine.ask("inspect", "--format={{.State.Running}}", self.id) == "true"

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside it, whatever its exit code."""
        return self._engine.run("exec", self.id, *command)

    def is_ready(self) -> bool:
        """Whether /readyz on its private port answers 200."""
        return self.execute("python", "-m", "checkpoint.operations.healthcheck", "/readyz").returncode == 0

    def wait_until_ready(self) -> None:
        """Return when it is ready; fail if it ends instead."""
        until(lambda: not self.is_running or self.is_ready(), "the service in the container is ready", within=30)
        assert self.is_running, self.log

    def port(self, inside: int) -> int:
        """The port of this machine that is mapped to a port inside."""
        return int(self._engine.ask("port", self.id, str(inside)).rpartition(":")[2])

    def stop(self) -> int:
        """Send the image's stop signal, and kill it after 15 seconds; returns the exit code."""
        self._engine.ask("stop", "-t", str(STOP_SECONDS), self.id)
        return int(self._engine.ask("inspect", "--format={{.State.ExitCode}}", self.id))

    def exit_code(self) -> int:
        """Wait until it has ended by itself; returns the exit code."""
        until(lambda: not self.is_running, "the container has ended")
        return int(self._engine.ask("inspect", "--format={{.State.ExitCode}}", self.id))
