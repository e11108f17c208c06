"""What becomes of output that nobody reads, or that cannot be written; each in a process of its own."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command_line.output import print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NOWHERE = {"INTAKE_PRIVATE_URL": "", "BROKER_PRIVATE_URL": ""}
_CHECK = [sys.executable, "-m", "command_line", "check"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **_NOWHERE}


@pytest.fixture
def closed_pipe() -> Iterator[int]:
    """The end to write to of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_output_that_nobody_reads_ends_the_program_as_it_ends_others(
    environment: Mapping[str, str], tmp_path: Path, closed_pipe: int, json_option: list[str]
) -> None:
    ended = subprocess.run(
        [*_CHECK, *json_option], cwd=tmp_path, env=environment, stdout=closed_pipe, stderr=subprocess.PIPE, check=False
    )
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_output_that_cannot_be_written_is_told_in_a_line(environment: Mapping[str, str], tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*_CHECK, "--json"], cwd=tmp_path, env=environment, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (ended.returncode, ended.stderr) == (3, b"checkpoint: No space left on device\n")


def test_a_closed_standard_stream_is_as_good_as_none(environment: Mapping[str, str], tmp_path: Path) -> None:
    line = f"{sys.executable} -m command_line dead-letters redrive --all <&- >&-"
    ended = subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 2
    assert b"there is no terminal to confirm at" in ended.stderr


def test_json_holds_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = {"reason": "\x1b[31m \x9b31m \u202e \u2028 \udc80"}
    print_json(hostile)
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert printed.rstrip("\n").isprintable()
    assert json.loads(printed) == hostile


@pytest.mark.parametrize("option", ["--csv", "--json", "--limit=0"])
def test_results_go_to_stdout_although_stderr_is_a_terminal(
    environment: Mapping[str, str], tmp_path: Path, option: str
) -> None:
    (tmp_path / "sqs_message_1.json").write_text('{"email_timestream": "1"}')
    terminal, stderr = pty.openpty()
    ended = subprocess.run(
        [sys.executable, "-m", "command_line", "query", "SELECT object FROM emails", option],
        cwd=tmp_path,
        env={**environment, "ARCHIVE_URL": tmp_path.as_uri(), "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=stderr,
        check=False,
    )
    os.close(stderr)
    shown = os.read(terminal, 65_536)
    os.close(terminal)
    assert b"sqs_message_1.json" in ended.stdout
    assert b"\x1b" not in ended.stdout
    assert b"Reading the archive" in shown
    assert b"sqs_message_1.json" not in shown
