"""One run: a broker process that empties a queue of the SQS stub into a directory, and what that took."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TESTS: Final = Path(__file__).parents[1] / "tests"
MEMORY: Final = Path("/dev/shm")  # noqa: S108  a file system in memory: no disk's speed is measured
POLL_SECONDS: Final = 0.05


class RunFailedError(Exception):
    """The broker ended, took too long, or did not leave exactly one object per message."""


@dataclass(frozen=True)
class Run:
    """What a broker did.

    cpu_seconds: user and system time of its process from start to end.
    seconds: from its first receive to its last delete.
    calls: by operation. most_receives_in_flight: at any one time.
    """

    messages: int
    cpu_seconds: float
    seconds: float
    calls: Mapping[str, int]
    most_receives_in_flight: int


def run_broker(checkout: Path, bodies: list[str], *, latency: float, deadline_seconds: float) -> Run:
    """Start a checkout's broker on a queue of these messages, and stop it once all of them are deleted.

    bodies: e-mails in ASCII, each on one line and each of a timestream of its own. latency: seconds per call to SQS.
    Raises RunFailedError.
    """
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as name:
        directory = Path(name)
        (directory / "bodies").write_text("\n".join(bodies))
        with _stub(directory / "bodies", latency) as queue_url:
            broker = _start(checkout, queue_url, directory)
            try:
                counts = _wait(broker, queue_url, len(bodies), time.monotonic() + deadline_seconds)
            except RunFailedError as error:
                _stop(broker)
                raise RunFailedError(f"{error}\n{(directory / 'log').read_text()}") from None
            cpu_seconds = _stop(broker)
        if broker.returncode:
            raise RunFailedError(f"The broker exited with {broker.returncode}:\n{(directory / 'log').read_text()}")
        _check(directory / "archive", bodies)
    return Run(
        messages=len(bodies),
        cpu_seconds=cpu_seconds,
        seconds=counts["last_deleted_at"] - counts["first_received_at"] if bodies else 0,
        calls=Counter(counts["calls"]),
        most_receives_in_flight=counts["most_in_flight"]["ReceiveMessage"],
    )


@contextmanager
def _stub(bodies: Path, latency: float) -> Iterator[str]:
    command = [sys.executable, "-m", "stubs.sqs", "--bodies", str(bodies), "--latency", str(latency)]
    with subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True) as stub:
        try:
            yield stub.stdout.readline().strip() if stub.stdout else ""
        finally:
            stub.kill()


def _start(checkout: Path, queue_url: str, directory: Path) -> subprocess.Popen[bytes]:
    (directory / "archive").mkdir()
    environment = {
        "ARCHIVE_URL": (directory / "archive").as_uri(),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PATH": os.environ["PATH"],
        "PRIVATE_PORT": "0",
        "PYTHONPATH": f"{checkout / 'apps'}{os.pathsep}{checkout / 'src'}",
        "QUEUE_URL": queue_url,
    }
    with (directory / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "message_broker"], cwd=directory, env=environment, stdout=log, stderr=log
        )


def _wait(broker: subprocess.Popen[bytes], queue_url: str, messages: int, deadline: float) -> dict[str, Any]:
    """The stub's counts when the broker has asked for messages, and deleted all that there were."""
    url = urlsplit(queue_url)._replace(path="/counts").geturl()
    while True:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  http, loopback
            counts: dict[str, Any] = json.load(response)
        if counts["deleted"] >= messages and "ReceiveMessage" in counts["calls"]:
            return counts
        if os.waitid(os.P_PID, broker.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            raise RunFailedError(f"The broker ended after {counts['deleted']} of {messages} messages.")
        if time.monotonic() > deadline:
            raise RunFailedError(f"The broker took too long: {counts['deleted']} of {messages} messages.")
        time.sleep(POLL_SECONDS)


def _stop(broker: subprocess.Popen[bytes]) -> float:
    """Stop it, wherever it is; gives the seconds of CPU that it used in all."""
    os.kill(broker.pid, signal.SIGTERM)
    _, status, usage = os.wait4(broker.pid, 0)
    broker.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _check(archive: Path, bodies: list[str]) -> None:
    objects = Counter(path.read_text() for path in archive.glob("*.json"))
    missing, more = Counter(bodies) - objects, objects - Counter(bodies)
    if missing or more:
        raise RunFailedError(f"Of {len(bodies)} messages {missing.total()} are missing, {more.total()} are too many.")
