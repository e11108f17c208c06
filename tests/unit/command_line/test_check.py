"""The command `check`; tests/e2e/test_operators_look.py runs it where all is well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from checkpoint.operations.findings import Finding
from checkpoint.version import VERSION
from command_line.application import application
from command_line.check import of_service
from command_line.services import ServiceState

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def checked(**environment: str | None) -> tuple[int, dict[str, Any]]:
    """The exit code, and what was found, by the name of each check."""
    ended = CliRunner().invoke(application, ["check", "--json"], env=environment)
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    return ended.exit_code, {line["check"]: (line["ok"], line["text"]) for line in lines}


def test_every_faulty_setting_is_a_line() -> None:
    ended = CliRunner().invoke(
        application, ["check"], env={"QUEUE_URL": "kafka://s3cret", "ARCHIVE_URL": "ftp://s3cret"}
    )
    assert ended.exit_code == 1
    assert [line.split(":")[:2] for line in ended.stdout.splitlines()] == [
        ["✗ settings", " QUEUE_URL"],
        ["✗ settings", " ARCHIVE_URL"],
    ]
    assert "s3cret" not in ended.output


def test_what_is_away_is_told_and_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, found = checked(INTAKE_PRIVATE_URL="http://127.0.0.1:1", BROKER_PRIVATE_URL="")
    assert code == 1
    assert {name: is_good for name, (is_good, _) in found.items()} == {
        "settings": True,
        "queue": False,
        "archive": False,
        "intake": False,
        "broker": None,
    }
    assert found["archive"][1].endswith("make the directory, or mount its volume")
    assert found["intake"][1] == "nothing listens there: start it, or say by INTAKE_PRIVATE_URL where it is"
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_is_not_ready_has_a_line_for_each_reason_and_each_warning() -> None:
    state = ServiceState(faults={"queue": "q", "archive": "a"}, warnings={"object_1": "is odd"}, version="9")
    assert of_service("broker", state) == [
        Finding("broker", is_good=False, text="not ready: queue: q"),
        Finding("broker", is_good=False, text="not ready: archive: a"),
        Finding("broker's warning", is_good=None, text="object_1: is odd"),
    ]


def test_another_version_and_another_clock_are_told() -> None:
    ready, clock = of_service("intake", ServiceState(is_ready=True, version="9", clock_seconds=-90))
    assert ready == Finding("intake", is_good=True, text=f"ready, version 9; this program is {VERSION}")
    assert (clock.is_good, clock.text[:12]) == (False, "90 s behind ")
    same, near = of_service("intake", ServiceState(is_ready=True, version=VERSION, clock_seconds=2))
    assert (same.text, near.is_good) == (f"ready, version {VERSION}", True)


def test_commands_are_completed() -> None:
    asked = {"_CHECKPOINT_COMPLETE": "complete_bash", "COMP_WORDS": "checkpoint st", "COMP_CWORD": "1"}
    ended = CliRunner().invoke(application, [], env=asked, prog_name="checkpoint")
    assert ended.stdout.split() == ["status"]
