"""The line at the end of a run that counts what did not run."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from architecture.sources import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

PASSES: Final = "def test_a(): pass\n"
SKIPS: Final = "import pytest\n@pytest.mark.parametrize('n', [1, 2])\ndef test_b(n): pytest.skip('no {}')\n"
MARKED: Final = "import pytest\n@pytest.mark.{}\ndef test_c(): pass\n"


def last_lines(directory: Path, files: dict[str, str], *arguments: str) -> list[str]:
    """The last two lines of a run of these tests, with the options of this project."""
    for name, content in files.items():
        path = directory / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (directory / "pyproject.toml").write_text((REPOSITORY / "pyproject.toml").read_text())
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "not_run", "-p", "no:cacheprovider", *arguments],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()[-2:]


@pytest.mark.parametrize("processes", [0, 2])
def test_it_counts_by_what_is_needed_and_names_each_target_right_above_the_last_line(
    tmp_path: Path, processes: int
) -> None:
    files = {
        "test_passes.py": PASSES,
        "test_skips.py": SKIPS.format("curl"),
        "terraform/test_skips.py": SKIPS.format("Terraform"),
        "terraform/test_applies.py": MARKED.format("applies_terraform"),
        "images/test_images.py": MARKED.format("needs_containers"),
    }
    line, last = last_lines(tmp_path, files, f"--numprocesses={processes}")
    assert line == (
        "Tests not run: 2 with Terraform and its provider (make test-terraform), "
        "1 with a container engine (make image-test), "
        "1 with terraform/ applied to an emulator (make test-terraform-apply), "
        "2 for other reasons, which stand above."
    )
    assert last.startswith("=")
    assert "1 passed, 4 skipped" in last


def test_where_all_ran_or_were_left_out_by_choice_there_is_no_such_line(tmp_path: Path) -> None:
    files = {"test_passes.py": PASSES, "test_skips.py": SKIPS.format("curl")}
    line, _ = last_lines(tmp_path, files, "-k", "test_a")
    assert "not run" not in line
