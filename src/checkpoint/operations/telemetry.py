"""Structured logs: JSON where the output is not a terminal, readable lines where it is."""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from checkpoint.settings import LogFormat, LogLevel


def configure_logging(level: LogLevel, log_format: LogFormat, **keys: object) -> None:
    """Send Checkpoint's logs from `level` up to standard output, and warnings of libraries with them.

    keys: what every line has beside its own, whichever thread it comes from.

    Libraries are never heard below a warning, whatever `level` says: at debug botocore prints every request it makes,
    e-mails and all.
    """
    readable = sys.stdout.isatty() if log_format == "auto" else log_format == "console"
    renderer: structlog.typing.Processor
    if readable:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    else:
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            lambda _logger, _method, event: {**event, **keys},
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if readable else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Output,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_ToStructlog()], level=logging.WARNING, force=True)


def log_failure(log: structlog.typing.FilteringBoundLogger, error: Exception) -> None:
    """Log an error that nobody foresaw: its type and place, but not its text, which could repeat an e-mail."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error("unexpected_error", error=type(error).__name__, at=f"{place.filename}:{place.lineno}")


class _Output(structlog.WriteLogger):
    """Standard output; where it is closed or its disk is full, the line is lost and the service goes on."""

    def __init__(self, *_: object) -> None:
        super().__init__(sys.stdout)

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = error = critical = exception = msg


class _ToStructlog(logging.Handler):
    """Hands a library's log record on, so that one format holds for all lines."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info or None
        )
