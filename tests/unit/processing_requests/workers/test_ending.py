"""A worker whose parent is gone ends, also where it is stuck."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

# It starts a process, waits until that is at work, and ends at the next line that it reads.
PARENT: Final = """
import os, subprocess, sys
command = [sys.executable, "-c", sys.argv[1]]
with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
    child.stdout.readline()
    sys.stdin.readline()
    os._exit(child.poll() is not None)
"""
STUCK: Final = """
import os, time
from processing_requests.workers import ending
ending._LOOK_SECONDS = 0.01
ending.end_after(os.getppid(), seconds=0.01)
time.sleep(0.1)
print("stuck", flush=True)
time.sleep(60)
"""


def test_a_process_that_is_stuck_ends_when_its_parent_has_and_not_before() -> None:
    command = [sys.executable, "-c", PARENT, STUCK]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as parent:
        # Both have the same standard error, which ends with the last of them.
        _, said = parent.communicate("end\n", timeout=20)
    assert (parent.returncode, said) == (0, "")
