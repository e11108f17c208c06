"""Runs a command, and turns how it ends into an exit code."""

from __future__ import annotations

import asyncio
import os
import sys
from enum import IntEnum
from typing import TYPE_CHECKING

import structlog
import typer

from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from checkpoint.message_queue.port import NoDeadLetterQueueError, QueueUnavailableError
from checkpoint.parameter_store import ParametersUnavailableError, fetch
from checkpoint.settings import SettingsError, load
from command_line.settings import CommandLineSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class ExitCode(IntEnum):
    """What scripts go by."""

    AS_ASKED = 0
    NOT_AS_ASKED = 1  # not found, missing, not healthy, not all done
    MISUSED = 2  # the command line or a setting is wrong; typer's own, too
    UNAVAILABLE = 3  # a service, the queue or the archive could not be asked
    INTERRUPTED = 130  # 128 and SIGINT, as a shell has it


class CommandError(Exception):
    """Ends a command; its text says why, and never repeats an e-mail's content or a token."""

    def __init__(self, reason: str, code: ExitCode) -> None:
        super().__init__(reason)
        self.code = code


def run(command: Callable[[CommandLineSettings], Awaitable[ExitCode]]) -> None:
    """Load the settings, run a command with them, and exit with its code; what ends it otherwise is told on stderr."""
    _log_to_stderr()
    try:
        code = asyncio.run(_load_and_run(command))
    except CommandError as error:
        _fail(str(error), error.code)
    except SettingsError as error:
        _fail(str(error), ExitCode.MISUSED)
    except (
        ArchiveUnavailableError,
        NoDeadLetterQueueError,
        ObjectUnreadableError,
        ParametersUnavailableError,
        QueueUnavailableError,
    ) as error:
        _fail(str(error), ExitCode.UNAVAILABLE)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    raise typer.Exit(code)


async def _load_and_run(command: Callable[[CommandLineSettings], Awaitable[ExitCode]]) -> ExitCode:
    return await command(await load(CommandLineSettings, os.environ, fetch))


def _fail(reason: str, code: ExitCode) -> None:
    typer.echo(f"checkpoint: {reason}", err=True)
    raise typer.Exit(code)


def _log_to_stderr() -> None:
    """What the adapters log must not stand between the lines that a script reads."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("warning"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
