"""The program itself: its help, its version, and the exit codes of what cannot be run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.message_queue.port import QueueUnavailableError
from checkpoint.version import VERSION
from command_line.application import application
from command_line.running import ExitCode, run

if TYPE_CHECKING:
    from command_line.settings import CommandLineSettings


def test_it_tells_its_version() -> None:
    ended = CliRunner().invoke(application, ["--version"])
    assert (ended.exit_code, ended.stdout) == (0, f"checkpoint {VERSION}\n")


def test_help_tells_the_settings_and_the_exit_codes() -> None:
    ended = CliRunner().invoke(application, ["--help"], env={"COLUMNS": "200"})
    assert ended.exit_code == 0
    assert "QUEUE_URL" in ended.stdout
    assert "Exit codes: 0 it is as asked; 1 it is not" in ended.stdout


@pytest.mark.parametrize("code", ExitCode)
def test_a_command_exits_with_its_code(code: ExitCode) -> None:
    async def command(_: CommandLineSettings) -> ExitCode:
        return code

    with pytest.raises(typer.Exit) as exited:
        run(command)
    assert exited.value.exit_code == code


@pytest.mark.parametrize(
    ("error", "setting"),
    [(QueueUnavailableError("is away"), "QUEUE_URL"), (ArchiveUnavailableError("is away"), "ARCHIVE_URL")],
)
def test_what_cannot_be_asked_is_told_on_stderr_with_a_code_of_its_own(
    error: Exception, setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def command(_: CommandLineSettings) -> ExitCode:
        raise error

    with pytest.raises(typer.Exit) as exited:
        run(command)
    assert exited.value.exit_code == ExitCode.UNAVAILABLE
    assert capsys.readouterr() == ("", f"checkpoint: {setting}: is away\n")


def test_a_wrong_setting_is_misuse_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def command(_: CommandLineSettings) -> ExitCode:
        raise AssertionError

    monkeypatch.setenv("QUEUE_URL", "nowhere:")
    with pytest.raises(typer.Exit) as exited:
        run(command)
    assert exited.value.exit_code == ExitCode.MISUSED
    assert capsys.readouterr().err.startswith("checkpoint: QUEUE_URL: the scheme must be one of")


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["find", "1"],
        ["dead-letters", "list"],
        ["dead-letters", "show", "1"],
        ["dead-letters", "redrive", "--all", "--yes"],
        ["dead-letters", "drop", "--all", "--yes"],
    ],
)
def test_a_queue_s_url_that_cannot_be_used_is_misuse_for_every_command(command: list[str]) -> None:
    ended = CliRunner().invoke(application, command, env={"QUEUE_URL": "sqlite:///q.db?password=s3cret"})
    assert (ended.exit_code, ended.stdout) == (ExitCode.MISUSED, "")
    assert ended.stderr.startswith("checkpoint: QUEUE_URL: the options of a sqlite queue are")
    assert "s3cret" not in ended.stderr
