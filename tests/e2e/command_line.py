"""The command line where the services of a world are."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from typer.testing import CliRunner

from command_line.application import application

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e2e.services import Service


class Ended(NamedTuple):
    """What a command did."""

    code: int
    lines: list[Any]


def checkpoint(environment: Mapping[str, str], *arguments: str) -> Ended:
    """Run a command with `--json` in this process, whose start would take longer than most commands."""
    foreign: dict[str, str | None] = {name: None for name in os.environ if name.startswith("AWS_")}
    try:
        ended = CliRunner().invoke(application, [*arguments, "--json"], env=foreign | dict(environment))
    finally:
        structlog.reset_defaults()
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return Ended(ended.exit_code, [json.loads(line) for line in ended.stdout.splitlines()])


def private_urls(intake: Service, broker: Service) -> dict[str, str]:
    """Where the private ports of both are."""
    return {
        "INTAKE_PRIVATE_URL": f"http://127.0.0.1:{intake.private_port}",
        "BROKER_PRIVATE_URL": f"http://127.0.0.1:{broker.private_port}",
    }
