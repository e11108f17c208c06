"""A pause: whatever was stopped goes on after it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, cast

import pytest

from chaos.faults.processes import Paused
from chaos.services import Member
from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.services import Fleet
    from e2e.services import Service

PARENT = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()']).wait()"


class OneMember:
    """A fleet of one process with a worker."""

    def __init__(self, member: Member) -> None:
        self.brokers = self.intakes = [member]


class Running:
    """A service of which nothing but its process is known."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process


@pytest.fixture
def member() -> Iterator[Member]:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        member = Member("processing_requests", {}, service=cast("Service", Running(process)))
        until(lambda: len(member.pids()) == 2, "the worker has started")
        yield member
        process.kill()


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes as Linux shows them")
def test_a_worker_whose_parent_was_killed_meanwhile_goes_on(member: Member) -> None:
    _, worker = member.pids()
    with Paused(cast("Fleet", OneMember(member))).going_on(Random(0)):
        until(lambda: is_stopped(worker), "the worker is paused")
        assert member.service
        member.service.process.send_signal(signal.SIGKILL)
        member.service.process.wait()
        assert member.pids() == []
    until(lambda: not is_stopped(worker), "the worker goes on")
