"""A make target for images or Terraform fails if it cannot run, with one line that says why."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from architecture.sources import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("target", "installed", "reason"),
    [
        ("image-test", [], "No container engine answers here: docker or podman must be installed and running."),
        ("test-terraform", [], "Terraform is not on the PATH."),
        ("test-terraform-apply", [], "Terraform is not on the PATH."),
        (
            "test-terraform-apply",
            ["terraform"],
            "TERRAFORM_PLUGIN_DIR names no folder with the provider hashicorp/aws.",
        ),
    ],
)
def test_a_target_that_lacks_a_program_or_provider_fails_and_names_it_once(
    target: str, installed: list[str], reason: str, tmp_path: Path
) -> None:
    for program in installed:
        (tmp_path / program).touch(mode=0o755)
    make = shutil.which("make")
    assert make
    ended = subprocess.run(
        # make must use this virtual environment, and not rebuild it.
        [make, f"VENV={sys.prefix}", f"--old-file={sys.prefix}/.dev", target],
        cwd=REPOSITORY,
        env=os.environ | {"PATH": str(tmp_path), "TERRAFORM_PLUGIN_DIR": "", "CONTAINER_ENGINE": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode != 0
    assert (ended.stdout + ended.stderr).count(reason) == 1
