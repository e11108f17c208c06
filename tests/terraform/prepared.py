"""A copy of terraform/ that needs no registry, and Terraform run in it.

Two things can only be fetched from a registry, so they are replaced: the two modules by stubs with the same inputs and
outputs, and the Kubernetes provider's blocks by the output of manifests.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from terraform import manifests
from terraform.source import CONFIGURATION, WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

TESTS: Final = Path(__file__).parent
_STUBS: Final = {"vpc": "5.21.0", "eks": "20.37.0"}  # the lowest versions that terraform/ accepts


def missing() -> str:
    """Why Terraform cannot be run here; empty if it can."""
    if shutil.which("terraform") is None:
        return "Terraform is not on the PATH. CONTRIBUTING.md says how to get it."
    providers = os.environ.get("TERRAFORM_PLUGIN_DIR", "")
    if not (providers and any(Path(providers).glob("*/hashicorp/aws"))):
        return (
            "TERRAFORM_PLUGIN_DIR names no folder with the provider hashicorp/aws. CONTRIBUTING.md says how to get it."
        )
    return ""


class Terraform:
    """Terraform in a directory. Its environment holds no credentials and no address of a real account."""

    def __init__(self, directory: Path, environment: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self._environment = {
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "1",
            "HOME": str(directory),
            "PATH": os.environ["PATH"],
            "TF_IN_AUTOMATION": "1",
            **(environment or {}),
        }

    def run(self, *arguments: str, expected: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run a command. Any other exit code than the expected ones fails, with the whole output."""
        done = subprocess.run(
            ["terraform", *arguments],  # noqa: S607  the one on PATH
            cwd=self.directory,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = f"terraform {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        assert done.returncode in expected, said
        return done

    def init(self) -> None:
        """Initialise, with the providers of TERRAFORM_PLUGIN_DIR and without fetching modules."""
        self.run("init", "-no-color", "-get=false", f"-plugin-dir={os.environ['TERRAFORM_PLUGIN_DIR']}")

    def test(self, *arguments: str) -> list[dict[str, Any]]:
        """Run Terraform's own tests; returns its events."""
        done = self.run("test", "-json", *arguments, expected=(0, 1))
        return [json.loads(line) for line in done.stdout.splitlines()]


def with_stubs(directory: Path) -> Terraform:
    """The whole configuration with stubs and its tests, initialised."""
    copy(directory, leave_out=WORKLOADS)
    (directory / "manifests.tf").write_text(manifests.as_output(WORKLOADS))
    for folder in ("mocks", "stubs"):
        shutil.copytree(TESTS / folder, directory / folder)
    for tests in TESTS.glob("*.tftest.hcl"):
        shutil.copy(tests, directory)
    modules = [{"Key": "", "Source": "", "Dir": "."}] + [
        {
            "Key": name,
            "Source": f"registry.terraform.io/terraform-aws-modules/{name}/aws",
            "Version": version,
            "Dir": f"stubs/{name}",
        }
        for name, version in _STUBS.items()
    ]
    (directory / ".terraform" / "modules").mkdir(parents=True)
    (directory / ".terraform" / "modules" / "modules.json").write_text(json.dumps({"Modules": modules}))
    terraform = Terraform(directory)
    terraform.init()
    return terraform


def copy(directory: Path, *, leave_out: Collection[Path]) -> None:
    """Copy the configuration, without some files and without the Kubernetes provider."""
    for file in CONFIGURATION.glob("*.tf"):
        if file not in leave_out:
            shutil.copy(file, directory)
    versions = directory / "terraform.tf"
    text, removed = re.subn(r"\n    kubernetes = \{.*?\n    \}", "", versions.read_text(), flags=re.DOTALL)
    assert removed == 1, "terraform.tf no longer names the Kubernetes provider as this copy expects"
    versions.write_text(text)
