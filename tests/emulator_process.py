"""The AWS emulator (ministack) as a process, over real HTTP on a free loopback port."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient

REGION: Final = "us-east-1"
START_SECONDS: Final = 30


@dataclass(frozen=True)
class Emulator:
    """A running emulator.

    s3, sqs, ssm: clients to arrange with and to look past an adapter with; they need nothing of the environment.
    """

    endpoint_url: str
    s3: S3Client
    sqs: SQSClient
    ssm: SSMClient

    @property
    def environment(self) -> dict[str, str]:
        """What makes any AWS SDK, in this process or another, talk to the emulator and to nothing else."""
        return _environment(self.endpoint_url)


@contextmanager
def running_emulator(directory: Path) -> Iterator[Emulator]:
    """A fresh one, with a directory for what it writes. Raises RuntimeError with its log where it does not start."""
    endpoint_url = f"http://127.0.0.1:{_free_port()}"
    with ExitStack() as stack:
        stack.enter_context(_running(endpoint_url, directory))
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        yield Emulator(
            endpoint_url,
            s3=stack.enter_context(closing(session.client("s3", endpoint_url=endpoint_url))),
            sqs=stack.enter_context(closing(session.client("sqs", endpoint_url=endpoint_url))),
            ssm=stack.enter_context(closing(session.client("ssm", endpoint_url=endpoint_url))),
        )


def _environment(endpoint_url: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@contextmanager
def _running(endpoint_url: str, directory: Path) -> Iterator[None]:
    port = endpoint_url.rpartition(":")[2]
    environment = os.environ | {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": port, "TMPDIR": str(directory)}
    log = directory / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "ministack"], cwd=directory, env=environment, stdout=output, stderr=output
        ) as process,
    ):
        try:
            _await_ready(endpoint_url, process, log)
            yield
        finally:
            process.kill()  # it keeps nothing, and a polite end waits for idle connections


def _await_ready(endpoint_url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{endpoint_url}/_ministack/ready", timeout=1):  # noqa: S310 (http, loopback)
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
    raise RuntimeError(f"The emulator did not start:\n{log.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
