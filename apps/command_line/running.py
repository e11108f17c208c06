"""Runs a command, and turns how it ends into an exit code."""

from __future__ import annotations

import asyncio
import os
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from checkpoint.message_queue.port import NoDeadLetterQueueError, QueueUnavailableError
from checkpoint.parameter_store import ParametersUnavailableError, fetch
from checkpoint.settings import SettingsError, load
from command_line.settings import CommandLineSettings
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine


class ExitCode(IntEnum):
    """What scripts go by."""

    AS_ASKED = 0
    NOT_AS_ASKED = 1  # not found, missing, not healthy, not all done
    MISUSED = 2  # the command line or a setting is wrong; typer's own, too
    UNAVAILABLE = 3  # a service, the queue or the archive could not be asked
    INTERRUPTED = 130  # 128 and SIGINT, as a shell has it
    CUT_OFF = 141  # 128 and SIGPIPE: who read the output, such as `head`, has ended


class CommandError(Exception):
    """Ends a command; its text says why, and never repeats an e-mail's content or a token."""

    def __init__(self, reason: str, code: ExitCode) -> None:
        super().__init__(reason)
        self.code = code


def run(command: Callable[[CommandLineSettings], Awaitable[ExitCode]]) -> NoReturn:
    """Load the settings, run a command with them, and exit as `run_without_settings` does."""

    async def load_and_run() -> ExitCode:
        return await command(await load(CommandLineSettings, os.environ, fetch))

    run_without_settings(load_and_run)


def run_without_settings(command: Callable[[], Coroutine[Any, Any, ExitCode]]) -> NoReturn:
    """Run a command, and exit with its code; what ends it otherwise is told on stderr."""
    _log_to_stderr()
    try:
        code = asyncio.run(command())
        sys.stdout.flush()  # what cannot be written must not look like success
    except CommandError as error:
        _fail(str(error), error.code)
    except SettingsError as error:
        _fail(str(error), ExitCode.MISUSED)
    except ArchiveUnavailableError as error:
        _fail(f"ARCHIVE_URL: {error}", ExitCode.UNAVAILABLE)
    except (NoDeadLetterQueueError, QueueUnavailableError) as error:
        _fail(f"QUEUE_URL: {error}", ExitCode.UNAVAILABLE)
    except (ObjectUnreadableError, ParametersUnavailableError) as error:
        _fail(str(error), ExitCode.UNAVAILABLE)
    except BrokenPipeError:  # who read has seen enough
        code = ExitCode.CUT_OFF
    except OSError as error:  # most likely of printing: files that the command names have errors of their own
        where = "" if error.filename is None else f"{harmless(str(error.filename))}: "
        _fail(f"{where}{error.strerror or type(error).__name__}", ExitCode.UNAVAILABLE)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    raise typer.Exit(code)


def _fail(reason: str, code: ExitCode) -> NoReturn:
    typer.echo(f"checkpoint: {reason}", err=True)
    raise typer.Exit(code)


def _log_to_stderr() -> None:
    """What the adapters log must not stand between the lines that a script reads."""
    import structlog  # noqa: PLC0415  slow to import, and neither --help nor a completion logs

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("warning"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
