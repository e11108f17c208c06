"""Logs: one format, no content of errors, and never the reason that a service ends."""

from __future__ import annotations

import errno
import io
import json
import logging
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import structlog

from checkpoint.operations.telemetry import configure_logging, log_failure

if TYPE_CHECKING:
    from collections.abc import Iterator


class FullDisk(io.StringIO):
    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_where_the_output_is_no_terminal_a_line_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "auto")
    structlog.get_logger().info("moved", archived=3)
    structlog.get_logger().debug("not said")
    (line,) = capsys.readouterr().out.splitlines()
    assert {"event": "moved", "archived": 3, "level": "info"}.items() <= json.loads(line).items()


def test_every_line_has_the_keys_that_are_given_for_all_whichever_thread_it_comes_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("info", "json", worker=2)
    structlog.get_logger().info("moved", archived=3)
    thread = threading.Thread(target=lambda: logging.getLogger("a library").warning("odd"))
    thread.start()
    thread.join()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["event"], line["worker"]) for line in lines] == [("moved", 2), ("odd", 2)]


def test_a_librarys_warning_has_the_same_form_and_its_debug_is_never_heard(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug", "json")
    logging.getLogger("botocore").debug("the whole request")
    logging.getLogger("botocore").warning("odd")
    (line,) = capsys.readouterr().out.splitlines()
    assert {"event": "odd", "logger": "botocore", "level": "warning"}.items() <= json.loads(line).items()


def test_a_failure_is_logged_by_type_and_place_and_not_by_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    try:
        dict[str, str]()["s3cret"]
    except LookupError as error:
        log_failure(structlog.get_logger(), error)
    said = capsys.readouterr().out
    assert {"event": "unexpected_error", "error": "KeyError", "level": "error"}.items() <= json.loads(said).items()
    assert "test_telemetry.py" in said
    assert "s3cret" not in said


def test_where_the_output_cannot_be_written_the_line_is_lost_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", FullDisk())
    configure_logging("info", "json")
    structlog.get_logger().info("moved")
    logging.getLogger("a library").warning("odd")
