"""wrk and ApacheBench, with which people measure it, against a real process."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from e2e.clients.programs import HERE, run, skip_without
from e2e.marked import body, marked
from e2e.posting import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.one_machine import OneMachine
    from e2e.services import Services

CONNECTIONS = 16


@pytest.fixture
def posted(tmp_path: Path) -> Path:
    """A file with what is posted."""
    file = tmp_path / "posted.json"
    file.write_text(f'{{"data": {body(marked(0)).decode()}, "token": "{TOKEN}"}}', encoding="utf-8")
    return file


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)
def test_wrk_is_answered_200_each_time(services: Services, one_machine: OneMachine, posted: Path) -> None:
    skip_without("wrk")
    intake = services.intake()
    url = f"http://127.0.0.1:{intake.port}/process_request"

    printed = run(["wrk", "-t1", f"-c{CONNECTIONS}", "-d1s", "-s", str(HERE / "post.lua"), url, "--", str(posted)])

    told = json.loads(printed.splitlines()[-1])
    requests = told.pop("requests")
    assert requests > CONNECTIONS
    assert told == dict.fromkeys(["status", "connect", "read", "write", "timeout"], 0)
    assert intake.terminate() == 0
    assert requests <= one_machine.waiting() <= requests + CONNECTIONS  # at its end it leaves without the last answers
    assert [event for event in intake.events if event["level"] in {"warning", "error"}] == []


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)
@pytest.mark.parametrize(("options", "kept_alive"), [([], 0), (["-k"], 1000)], ids=["each its own connection", "kept"])
def test_apache_bench_is_answered_200_each_time(
    services: Services, one_machine: OneMachine, posted: Path, options: list[str], kept_alive: int
) -> None:
    """It speaks HTTP/1.0, with keep-alive where it is asked for."""
    skip_without("ab")
    intake = services.intake()
    url = f"http://127.0.0.1:{intake.port}/process_request"

    command = ["ab", *options, "-q", "-n", "1000", "-c", str(CONNECTIONS), "-p", str(posted), "-T", "application/json"]
    printed = run([*command, url])

    told = dict(re.findall(r"^([A-Z][\w -]+): +(\d+)", printed, re.MULTILINE))
    assert (told["Complete requests"], told["Failed requests"]) == ("1000", "0")
    assert "Non-2xx responses" not in told
    assert int(told.get("Keep-Alive requests", 0)) == kept_alive
    assert one_machine.waiting() == 1000
