"""The fleet counts each death once, and knows its own kills from what ended by itself."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, cast

from chaos.services import Fleet, Member

if TYPE_CHECKING:
    from pathlib import Path

    from chaos.world import World
    from e2e.services import Service

KILLS_ITSELF = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


class Ended:
    """A service whose process has ended."""

    log = ""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process


def test_a_process_that_its_step_killed_just_before_the_steps_are_disarmed_did_not_end_by_itself(
    tmp_path: Path,
) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLS_ITSELF])
    assert process.wait() == -signal.SIGKILL
    fleet = Fleet(cast("World", None), tmp_path, steps={}, seed=1)
    member = Member("message_broker", {}, service=cast("Service", Ended(process)), step="before_delete")
    fleet.members.append(member)
    fleet.disarm()
    fleet._look_at(member)
    assert (fleet.exits, fleet.kills_at) == ({}, {"before_delete": 1})
