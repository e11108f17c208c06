"""`make soak`, for some seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.measures

REPOSITORY: Final = Path(__file__).parents[2]


def soak(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "bench/soak.py", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("queue", ["sqlite", "sqs"])
def test_it_prints_and_writes_what_memory_both_services_had(tmp_path: Path, queue: str) -> None:
    found = tmp_path / "found.json"
    directory = tmp_path / "directory"
    directory.mkdir()

    ended = soak(
        *("--on", queue, "--minutes", "0.1", "--every", "1", "--rate", "50"),
        *("--directory", str(directory), "--json", str(found)),
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert list(directory.iterdir()) == []
    told = json.loads(found.read_text())
    assert list(told["answers_by_status"]) == ["200"]
    assert told["archived"] == told["answers_by_status"]["200"] > 0
    assert len(told["samples"]) >= 5
    for program in ("processing_requests", "message_broker"):
        memory = [sample["memory"][program] for sample in told["samples"]]
        assert all(each["peak"] >= each["resident"] > each["anonymous"] > 10_000 for each in memory)
        assert all(each["threads"] >= 2 and each["files"] >= 5 for each in memory)
        assert f"\n{program}: " in ended.stdout
        assert told["growth"][program]["last"] == memory[-1]["resident"]


def test_a_service_that_cannot_start_is_told_with_its_log() -> None:
    ended = soak("--minutes", "0.1", "--every", "1", "--set", "LOG_LEVEL=loud")

    assert ended.returncode == 1
    assert "ended with 1" in ended.stderr
    assert "LOG_LEVEL" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_growth_is_told_from_a_cache_that_fills() -> None:
    program = """
from growth import growth
cache = growth([(minute, 25_200 * minute, 40_000 + 1_000 * min(minute, 4)) for minute in range(1, 11)])
leak = growth([(minute, 25_200 * minute, 40_000 + 100 * minute) for minute in range(1, 11)])
print(cache.late_growth, cache.steps, cache.late_steps, cache.highest_at)
print(round(leak.late_growth), round(leak.per_million), leak.steps)
"""
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, cwd=REPOSITORY / "bench", capture_output=True, text=True, check=True).stdout

    assert told == "0.0 3 0 4\n500 3968 0\n"
