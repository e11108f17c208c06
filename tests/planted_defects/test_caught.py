"""The simulation and the chaos suite catch every planted defect: `make test-oracle`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from planted_defects.defects import DEFECTS
from planted_defects.planting import plant

if TYPE_CHECKING:
    from pathlib import Path

    from planted_defects.defects import Defect

pytestmark = pytest.mark.plants_defects

_SEEDS: Final = 1_000
_CHAOS: Final = ("-m", "chaos", "--seed", "1")
# Longer than any run takes that ends by itself.
_TIMEOUT_SECONDS: Final = 300


def _run(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """The exit code of a suite, and what it printed."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    return ended.returncode, ended.stdout


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_the_simulation_catches_a_planted_defect(defect: Defect, tmp_path: Path) -> None:
    code, said = _run(plant(defect.edits, tmp_path), "-m", "simulation", "--seeds", str(_SEEDS))

    assert (code, "SEED=" in said) == (1, True), said


def test_the_simulation_finds_nothing_where_nothing_is_planted(tmp_path: Path) -> None:
    code, said = _run(plant((), tmp_path), "-m", "simulation", "--seeds", str(_SEEDS))

    assert code == 0, said


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_the_chaos_suite_catches_a_planted_defect(defect: Defect, tmp_path: Path) -> None:
    code, said = _run(plant(defect.edits, tmp_path), *_CHAOS, *defect.chaos)

    assert (code, "VIOLATION" in said) == (1, True), said


def test_the_chaos_suite_finds_nothing_where_nothing_is_planted(tmp_path: Path) -> None:
    code, said = _run(plant((), tmp_path), *_CHAOS, "--seconds", "20", "--on", "both")

    assert code == 0, said
