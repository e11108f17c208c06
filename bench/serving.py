"""A server as a process of its own: started, waited for until it answers as it should, stopped."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from load import EMAIL
from processes import started_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PATH: Final = "/process_request"
_START_SECONDS: Final = 20
_STOP_SECONDS: Final = 40
_POLL_SECONDS: Final = 0.05
_OK: Final = 200


class ServerFailedError(Exception):
    """A server did not start, did not answer, did not stop, or lost a message."""


@dataclass(frozen=True, slots=True)
class Server:
    """How a server is started.

    command: what starts it; `{port}` and `{private_port}` stand for ports that are free, here and in the environment.
    environment: all that it gets, beside what its queue needs. cores: on which it runs.
    stop: the signal that ends it.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    cores: frozenset[int]
    stop: signal.Signals = signal.SIGTERM


@contextmanager
def running(server: Server, directory: Path, queue: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Its process and the URL to post to, once one e-mail was posted and answered 200. Ends it on exit.

    directory: where it runs. queue: the settings that lead to its queue. Raises ServerFailedError.
    """
    ports = {"port": free_port(), "private_port": free_port()}
    command = [part.format(**ports) for part in server.command]
    own = {name: value.format(**ports) for name, value in server.environment.items()}
    log = directory / "log"
    with log.open("ab") as output, started_on(server.cores):
        environment = {"PATH": os.environ["PATH"], **own, **queue}
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait(process, ports["port"], log)
        yield process.pid, f"http://127.0.0.1:{ports['port']}{PATH}"
        if process.poll() is not None:
            raise ServerFailedError(f"{command} ended with {process.returncode} under load:\n{_tail(log)}")
        process.send_signal(server.stop)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise ServerFailedError(f"{command} did not stop within {_STOP_SECONDS} s:\n{_tail(log)}") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with what it has started
        process.wait()


def free_port() -> int:
    """A loopback port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def post(port: int) -> tuple[int, bytes]:
    """Post the e-mail once; gives the status, 0 where nothing listens, and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_SECONDS)
    try:
        connection.request("POST", PATH, EMAIL, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while (answer := post(port))[0] != _OK:
        if process.poll() is not None:
            raise ServerFailedError(f"{process.args!r} ended with {process.returncode}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise ServerFailedError(f"{process.args!r} answers {answer}:\n{_tail(log)}")
        time.sleep(_POLL_SECONDS)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-4000:]
