"""Both programs, asked for help, for their version, or for what they do not know."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from checkpoint.operations.command_line import variables
from checkpoint.version import VERSION
from message_broker.settings import BrokerSettings
from processing_requests.settings import IntakeSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.settings import Settings

    Form = Callable[[str], list[str]]

SETTINGS: Final[dict[str, type[Settings]]] = {"processing_requests": IntakeSettings, "message_broker": BrokerSettings}
PROGRAMS: Final = pytest.mark.parametrize("program", SETTINGS)
# No service could start with these.
USELESS: Final = {"QUEUE_URL": "nowhere:", "ARCHIVE_URL": "nowhere:", "PORT": "none", "LOG_LEVEL": "loud"}


def run(directory: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in an empty directory, and see that it leaves nothing there."""
    ended = subprocess.run(
        command,
        cwd=directory,
        env={"PATH": os.environ["PATH"], "COLUMNS": "1000"} | USELESS | environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert list(directory.iterdir()) == []
    return ended


def module(program: str) -> list[str]:
    return [sys.executable, "-m", program]


def script(program: str) -> list[str]:
    return [str(Path(sys.executable).with_name(program))]


@PROGRAMS
@pytest.mark.parametrize("form", [module, script])
def test_help_lists_every_variable_with_its_meaning_and_its_default(program: str, form: Form, tmp_path: Path) -> None:
    ended = run(tmp_path, *form(program), "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"usage: {program} ")
    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    for name, default, meaning in variables(SETTINGS[program]):
        assert f"{name} {meaning} (default: {default})" in lines


@PROGRAMS
@pytest.mark.parametrize("form", [module, script])
def test_version_is_that_of_the_project(program: str, form: Form, tmp_path: Path) -> None:
    ended = run(tmp_path, *form(program), "--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{program} {VERSION}\n", "")


@PROGRAMS
@pytest.mark.parametrize("argument", ["--unknown", "--vers", "unknown"])
def test_an_unknown_argument_is_refused_with_the_usage(program: str, argument: str, tmp_path: Path) -> None:
    ended = run(tmp_path, *module(program), argument)
    assert (ended.returncode, ended.stdout) == (2, "")
    usage, reason = ended.stderr.splitlines()
    assert usage.startswith(f"usage: {program} ")
    assert argument in reason


@PROGRAMS
def test_help_loads_nothing_that_only_the_service_needs(program: str, tmp_path: Path) -> None:
    ended = run(tmp_path, *module(program), "--help", PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert f"{program}.settings" in loaded
    assert not {"asyncio", "structlog", "uvloop", f"{program}.service"} & loaded
