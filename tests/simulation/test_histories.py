"""`make simulate` as a program: a few seconds of it, a replay, and a defect that it has to find."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

_TESTS: Final = Path(__file__).parents[1]
_SECONDS: Final = 25
# A store whose puts overwrite, which the archive relies on not to happen.
_OVERWRITING: Final = """
import sys
from simulation import __main__, store_model

def put(self, name, body):
    if self.objects.get(name, body) != body:
        self.changed.append(name)
    self.objects[name] = body
    self.created_at.setdefault(body, self.scheduler.now)
    return True

store_model.StoreModel.put = put
sys.exit(__main__.main())
"""


def _simulate(
    *arguments: str, program: tuple[str, ...] = ("-m", "simulation"), hash_seed: str = "0"
) -> tuple[int, str]:
    path = os.pathsep.join([str(_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    ended = subprocess.run(
        [sys.executable, *program, *arguments],
        env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=300,
    )
    return ended.returncode, ended.stdout


def test_no_history_breaks_a_promise(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    code, output = _simulate("--seeds", "5000", "--seconds", str(_SECONDS), "--json", str(report))
    assert code == 0, output
    told = json.loads(report.read_text())
    assert told["histories"] >= 10
    assert told["requests"] > told["histories"]
    assert told["virtual_hours"] > 0
    assert sum(told["faults"].values()) > 0


def test_a_seed_replays_exactly() -> None:
    replays = [_simulate("--seed", "3", hash_seed=hash_seed) for hash_seed in ("1", "2")]
    assert replays[0] == replays[1]
    assert len(replays[0][1].splitlines()) > 50


def test_a_defect_is_found_and_shrunk() -> None:
    arguments = ("--seeds", "200", "--processes", "1")
    code, output = _simulate(*arguments, program=("-c", _OVERWRITING))
    assert code == 1
    assert "changed sqs_message_" in output
    # E-mails of one timestream are enough; a fault may be what lets them come in that order.
    assert re.search(r"fails with [01] of its [2-9]\d* faults", output)
    assert "make simulate SEED=" in output
