"""`--check` of both services: what they would find at their start, and nothing is changed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from e2e.marked import SECRETS
from e2e.on_aws import OnAWS

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.worlds import World


def check(program: str, directory: Path, **environment: str) -> tuple[int, list[str]]:
    """Its exit code and its lines; it leaves everything below the directory as it is."""
    before = {path: path.stat() for path in directory.rglob("*")}
    ended = subprocess.run(
        [sys.executable, "-m", program, "--check"],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory)} | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.stderr == ""
    assert {path: path.stat() for path in directory.rglob("*")} == before
    assert not any(secret in ended.stdout for secret in SECRETS)
    return ended.returncode, ended.stdout.splitlines()


def test_where_all_is_well_both_say_so_and_change_nothing(world: World, tmp_path: Path) -> None:
    intake_code, intake = check("processing_requests", tmp_path, **world.environment)
    broker_code, broker = check("message_broker", tmp_path, **world.environment)
    assert (intake_code, broker_code) == (0, 0)
    assert [line.partition(":")[0] for line in intake] == ["✓ settings", "✓ queue"]
    assert [line.partition(":")[0] for line in broker] == ["✓ settings", "✓ queue", "✓ archive"]
    if isinstance(world, OnAWS):
        assert world.waiting() == 0
        assert world.objects() == {}


@pytest.mark.parametrize("program", ["processing_requests", "message_broker"])
def test_every_faulty_setting_is_a_line(program: str, tmp_path: Path) -> None:
    code, lines = check(program, tmp_path, QUEUE_URL="kafka://x", LOG_LEVEL="loud", PRIVATE_PORT="x", TOKEN=",")
    assert code == 1
    assert [line.split(":")[1] for line in lines] == [" QUEUE_URL", " PRIVATE_PORT", " LOG_LEVEL"]
    assert {line[0] for line in lines} == {"✗"}


def test_what_cannot_be_reached_is_a_line_with_the_way_out(on_aws: OnAWS, tmp_path: Path) -> None:
    with on_aws.archive_away():
        code, lines = check("message_broker", tmp_path, **on_aws.environment)
        assert code == 1
        assert [line[0] for line in lines] == ["✓", "✓", "✗"]
        assert "NoSuchBucket" in lines[2]
    code, lines = check("message_broker", tmp_path, ARCHIVE_URL=(tmp_path / "missing").as_uri())
    assert (code, lines[2][0]) == (1, "✗")
    assert lines[2].endswith("make the directory, or mount its volume")
    code, lines = check("processing_requests", tmp_path, TOKEN=",")
    assert (code, lines[0][0]) == (1, "✗")
    assert "TOKEN" in lines[0]
