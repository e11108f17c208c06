"""A service that cannot start says everything that is wrong, by name, and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def start_in_vain(program: str, directory: Path, **environment: str) -> str:
    """What a program says that must not start."""
    ended = subprocess.run(
        [sys.executable, "-m", program],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory)} | environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert "Warning" not in ended.stderr
    return ended.stderr


def test_the_intake_names_every_fault_at_once_and_repeats_no_value(tmp_path: Path) -> None:
    said = start_in_vain(
        "processing_requests", tmp_path, HOST="0.0.0.0", PORT="abc", LOG_LEVEL="loud", QUEUE_URL="kafka://secret"
    )
    for name in ("TOKEN", "PORT", "LOG_LEVEL", "QUEUE_URL"):
        assert name in said
    for value in ("abc", "loud", "kafka", "secret"):
        assert value not in said


def test_the_broker_names_every_fault_at_once_and_repeats_no_value(tmp_path: Path) -> None:
    said = start_in_vain(
        "message_broker",
        tmp_path,
        SLOTS="0",
        VISIBILITY_SECONDS="soon",
        LOG_LEVEL="loud",
        QUEUE_URL="kafka://secret",
        ARCHIVE_URL="ftp://secret",
    )
    for name in ("SLOTS", "VISIBILITY_SECONDS", "LOG_LEVEL", "QUEUE_URL", "ARCHIVE_URL"):
        assert name in said
    for value in ("soon", "loud", "kafka", "ftp", "secret"):
        assert value not in said


@pytest.mark.parametrize("program", ["processing_requests", "message_broker"])
def test_an_unknown_scheme_names_the_known_ones(program: str, tmp_path: Path) -> None:
    said = start_in_vain(program, tmp_path, QUEUE_URL="kafka://secret")
    assert "QUEUE_URL" in said
    assert "sqlite" in said
    assert "https" in said
    assert "secret" not in said


@pytest.mark.parametrize("program", ["processing_requests", "message_broker"])
def test_a_private_port_that_is_taken_is_named(program: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = start_in_vain(program, tmp_path, PRIVATE_PORT=port)
    assert port in said


def test_a_public_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = start_in_vain("processing_requests", tmp_path, PORT=port, PRIVATE_PORT="0")
    assert port in said


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ARCHIVE_URL": "file://s3cret/archive"}, "ARCHIVE_URL: a file: URL has three slashes"),
        ({"ARCHIVE_URL": "s3:///s3cret"}, "ARCHIVE_URL: must be s3://bucket or s3://bucket/prefix."),
        ({"ARCHIVE_URL": "s3://bucket", "AWS_PROFILE": "s3cret"}, "ARCHIVE_URL: AWS_PROFILE names no profile"),
        ({"QUEUE_URL": "https://127.0.0.1/1/s3cret"}, "QUEUE_URL: no region is named; set AWS_REGION."),
        ({"QUEUE_URL": "https://s3cret host/1/q", "AWS_REGION": "eu-west-3"}, "QUEUE_URL: is not the URL of an end"),
        ({"QUEUE_URL": "https://h/1/s3cret.fifo"}, "QUEUE_URL: names a FIFO queue"),
        ({"QUEUE_URL": "https://me:s3cret@h/1/q"}, "QUEUE_URL: must not hold credentials"),
        ({"QUEUE_URL": "sqlite:///q.db?s3cret=1"}, "QUEUE_URL: "),
        ({"QUEUE_URL": "sqlite://me:s3cret\u2100@host/q"}, "QUEUE_URL: is not a URL."),
        ({"QUEUE_URL": "ssm:/queue"}, "GetParameters: no region is named; set AWS_REGION."),
        (
            {"QUEUE_URL": "ssm:/queue", "AWS_REGION": "eu-west-3", "AWS_ENDPOINT_URL": "http://s3cret host"},
            "GetParameters: AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_SSM is not the URL of an endpoint.",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_what_cannot_be_opened_is_told_by_its_settings_name_once(
    tmp_path: Path, environment: dict[str, str], said: str
) -> None:
    told = start_in_vain("message_broker", tmp_path, PRIVATE_PORT="0", **environment)
    assert told.startswith(f"message_broker cannot start: {said}")
    assert told.count("_URL: ") <= 1
    assert "s3cret" not in told
