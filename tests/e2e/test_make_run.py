"""What a newcomer sees of `make run`."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from e2e.make_run import Run
from e2e.marked import body, marked, md5
from e2e.ports import free_port
from e2e.test_assignment import CONTENT, NAME
from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from e2e.one_machine import OneMachine


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "DATA": str(tmp_path / "data"),
        "PORT": str(free_port()),
        "INTAKE_PRIVATE_PORT": str(free_port()),
        "BROKER_PRIVATE_PORT": str(free_port()),
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(*, on_terminal: bool = False, **more: str) -> Run:
        runs.append(Run(environment | more, tmp_path / f"run-{len(runs)}.log", on_terminal=on_terminal))
        return runs[-1]

    yield start
    for each in runs:
        each.interrupt()


def test_it_prints_the_address_the_token_and_a_curl_line_that_works_when_pasted(
    run: Callable[..., Run], environment: dict[str, str], one_machine: OneMachine
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("There is no curl to paste the line for.")
    running = run()
    line = running.curl()
    assert f"http://127.0.0.1:{environment['PORT']}/process_request" in running.output
    assert "foobar" in running.output

    answered = subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=True, timeout=10)

    assert answered.stdout == b'{"message": "Request processed successfully"}'
    until(lambda: one_machine.objects() == {NAME: md5(CONTENT)}, "the e-mail is archived")


@pytest.mark.parametrize("on_terminal", [True, False])
def test_each_line_has_the_name_of_its_process_and_one_time(run: Callable[..., Run], *, on_terminal: bool) -> None:
    running = run(on_terminal=on_terminal)
    running.curl()
    running.interrupt()

    assert ('"event": "started"' in running.output) is not on_terminal
    lines = [line for line in re.sub(r"\x1b\[\d+m", "", running.output).splitlines() if " | " in line]
    assert {line.split("|")[0].strip() for line in lines} == {"system", "processing_requests", "message_broker"}
    assert [line for line in lines if len(re.findall(r"\d\d:\d\d:\d\d", line)) != 1] == []


def test_ctrl_c_stops_both_services_within_two_seconds(run: Callable[..., Run]) -> None:
    running = run()
    running.curl()

    began = time.monotonic()
    exit_code = running.interrupt()

    assert exit_code == 0
    assert time.monotonic() - began < 2
    assert running.output.count('"event": "stopped"') == 2
    assert "Traceback" not in running.output


def test_a_later_run_archives_what_is_left_in_the_queue(run: Callable[..., Run], one_machine: OneMachine) -> None:
    first = run()
    first.curl()
    first.interrupt()
    left = body(marked(0))
    one_machine.put(left)

    run()

    until(lambda: list(one_machine.objects().values()) == [md5(left)], "what was left in the queue is archived")


@pytest.mark.parametrize("other", [(), ("INTAKE_PRIVATE_PORT", "BROKER_PRIVATE_PORT")])
def test_a_second_run_on_the_same_ports_names_a_taken_one_and_prints_no_curl_line(
    run: Callable[..., Run], environment: dict[str, str], other: tuple[str, ...]
) -> None:
    run().curl()

    second = run(**{name: str(free_port()) for name in other})

    until(lambda: second.is_over, "the second run has ended")
    taken = [port for name, port in environment.items() if name.endswith("PORT") and name not in other]
    assert any(port in line for port in taken for line in second.output.splitlines() if "in use" in line)
    assert "Traceback" not in second.output
    assert "curl" not in second.output
