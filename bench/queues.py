"""The queues behind the servers that are measured, and what they kept: that is looked at past the server."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from processes import started_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SERVERS: Final = Path(__file__).parent / "servers"
TESTS: Final = Path(__file__).parents[1] / "tests"


class Queue:
    """A queue; this one keeps nothing.

    environment: the settings that lead a server to it. stubs: the processes that stand for other services.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, stubs: Sequence[int] = ()) -> None:
        self.environment = environment or {}
        self.stubs = list(stubs)

    def kept(self) -> int:
        """How many messages it holds."""
        return 0

    def sends(self) -> int:
        """How often it was called to send; 0 where calls are not counted."""
        return 0


class SQLiteQueue(Queue):
    """The file `queue.db` in a directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "queue.db"
        super().__init__({"QUEUE_URL": f"sqlite:///{self._path}"})

    def kept(self) -> int:
        """The rows of its table."""
        with closing(sqlite3.connect(self._path)) as connection:
            count: int = connection.execute("SELECT count(*) FROM messages").fetchone()[0]
            return count


class SQSQueue(Queue):
    """The queue of a stub of SQS, with a stub of SSM beside it. url, ssm_url: the queue's, and SSM's endpoint."""

    def __init__(self, url: str, ssm_url: str, stubs: Sequence[int]) -> None:
        environment = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_SQS": urljoin(url, "/"),
            "AWS_ENDPOINT_URL_SSM": ssm_url,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "QUEUE_URL": url,
        }
        super().__init__(environment, stubs)
        self._url = url

    def kept(self) -> int:
        """The messages on it."""
        name = "ApproximateNumberOfMessages"
        body = json.dumps({"QueueUrl": self._url, "AttributeNames": [name]}).encode()
        headers = {"X-Amz-Target": "AmazonSQS.GetQueueAttributes"}
        request = urllib.request.Request(urljoin(self._url, "/"), body, headers)  # noqa: S310  http, loopback
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  as above
            return int(json.load(response)["Attributes"][name])

    def sends(self) -> int:
        """Calls of SendMessage and SendMessageBatch."""
        with urllib.request.urlopen(urljoin(self._url, "/counts"), timeout=30) as response:  # noqa: S310  as above
            calls: dict[str, int] = json.load(response)["calls"]
        return calls.get("SendMessage", 0) + calls.get("SendMessageBatch", 0)


@contextmanager
def opened(kind: str, directory: Path, *, latency: float, cores: frozenset[int]) -> Iterator[Queue]:
    """A new queue. kind: `sqlite`, `sqs`, or empty for none. latency: seconds per call to AWS. cores: of the stubs."""
    if kind == "sqs":
        options = ["--latency", str(latency)]
        with (
            _stub(["-m", "stubs.sqs", *options], cores) as (sqs, url),
            _stub([str(SERVERS / "ssm.py"), *options], cores) as (ssm, ssm_url),
        ):
            yield SQSQueue(url, ssm_url, [sqs, ssm])
    else:
        yield SQLiteQueue(directory) if kind == "sqlite" else Queue()


@contextmanager
def _stub(arguments: list[str], cores: frozenset[int]) -> Iterator[tuple[int, str]]:
    """Its process, and what it prints once it listens."""
    with started_on(cores):
        stub = subprocess.Popen([sys.executable, *arguments], cwd=TESTS, stdout=subprocess.PIPE, text=True)
    with stub:
        try:
            yield stub.pid, stub.stdout.readline().strip() if stub.stdout else ""
        finally:
            stub.kill()
