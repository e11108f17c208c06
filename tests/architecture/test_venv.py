"""The virtual environment of make: its Python is new enough, and it is made anew when that Python has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from architecture.sources import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

# Says its version, and makes a virtual environment that has no more than is looked at.
PYTHON: Final = """#!/bin/sh
case $1 in
  -c) echo {version} ;;
  -m) mkdir -p "$3/bin" "$3/lib/python{minor}"
      cp "$0" "$3/bin/python"
      cp "$0" "$3/bin/pip"
      touch "$3/pyvenv.cfg" ;;
esac
"""


@dataclass
class Machine:
    """A machine with the given Pythons on its PATH, before anything else."""

    directory: Path

    @property
    def venv(self) -> Path:
        return self.directory / "venv"

    def install(self, name: str, version: str) -> None:
        write_python(self.directory / "bin" / name, version)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = shutil.which("make")
        assert program
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        inherited.pop("PYTHON", None)
        return subprocess.run(
            [program, f"VENV={self.venv}", *arguments],
            cwd=REPOSITORY,
            env=inherited | {"PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def make_venv(self, *arguments: str) -> str:
        """Make what all targets need, and return the Python version of the environment that is there then."""
        ended = self.make(f"{self.venv}/pyvenv.cfg", *arguments)
        assert ended.returncode == 0, ended.stderr
        return subprocess.check_output([self.venv / "bin/python", "-c", ""], text=True).strip()


def write_python(path: Path, version: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(PYTHON.format(version=version, minor=version.rpartition(".")[0]))
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.install("python3", "3.11.7")
    return machine


@pytest.mark.parametrize("version", ["2.7.18", "3.9.2", "3.10.13"])
def test_a_python_that_is_too_old_is_refused_in_one_line(machine: Machine, version: str) -> None:
    machine.install("python3", version)
    ended = machine.make("run")
    said, failed = ended.stderr.splitlines()
    assert said == f"Python 3.11 or newer is needed; python3 is {version}. Set PYTHON=… to another one."
    assert failed.startswith("make: ***")
    assert ended.returncode != 0
    assert ended.stdout == ""
    assert not machine.venv.exists()


def test_a_python_that_is_not_there_is_named_and_what_is_there_is_kept(machine: Machine) -> None:
    machine.make_venv()
    ended = machine.make("run", "PYTHON=python3.99")
    assert ended.stderr.startswith("Python 3.11 or newer is needed; python3.99 is not there. Set PYTHON=…")
    assert machine.make_venv() == "3.11.7"


@pytest.mark.parametrize("version", ["3.11.0", "3.14.2", "3.20.1", "4.0.0"])
def test_a_newer_python_is_taken(machine: Machine, version: str) -> None:
    machine.install("python3", version)
    assert machine.make_venv() == version


def test_an_environment_that_works_is_kept(machine: Machine) -> None:
    machine.make_venv()
    (machine.venv / "kept").touch()
    assert machine.make_venv() == "3.11.7"
    assert machine.make_venv("PYTHON=python3") == "3.11.7"
    machine.install("python3", "3.12.1")  # not the one that the environment was made with, but nobody asked for it
    assert machine.make_venv() == "3.11.7"
    assert (machine.venv / "kept").exists()


def test_another_python_that_is_asked_for_makes_it_anew(machine: Machine) -> None:
    machine.make_venv()
    machine.install("python3.12", "3.12.1")
    assert machine.make_venv("PYTHON=python3.12") == "3.12.1"
    assert machine.make_venv() == "3.12.1"


def test_it_is_made_anew_where_its_python_is_gone(machine: Machine) -> None:
    machine.make_venv()
    (machine.venv / "bin/python").unlink()
    (machine.venv / "bin/python").symlink_to("nowhere")
    assert machine.make_venv() == "3.11.7"


def test_it_is_made_anew_where_its_python_has_become_another_version(machine: Machine) -> None:
    machine.make_venv()
    write_python(machine.venv / "bin/python", "3.12.1")
    (machine.venv / "stale").touch()
    assert machine.make_venv() == "3.11.7"
    assert not (machine.venv / "stale").exists()
