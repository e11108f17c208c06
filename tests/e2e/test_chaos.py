"""A short run of the chaos suite in each world; `make chaos` runs it for longer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("world", ["embedded", "aws"])
def test_nothing_is_lost_doubled_or_left_under_faults(world: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    ended = subprocess.run(
        [sys.executable, "-m", "chaos", "--seconds", "6", "--on", world, "--json", str(report)],
        env=os.environ | {"PYTHONPATH": str(_TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout
    [outcome] = json.loads(report.read_text())
    assert outcome["objects"] >= 5  # a slow machine had 16 in these seconds; with none, nothing would be shown
    assert sum(outcome["kills"].values()) >= 1
    assert outcome["violations"] == []
