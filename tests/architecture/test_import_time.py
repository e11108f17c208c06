"""Importing a module opens nothing, starts nothing, and reads nothing from the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from architecture.sources import MODULES, module_name

if TYPE_CHECKING:
    from pathlib import Path

# Comparing descriptors finds anything that is open. That of the listing itself is in both lists.
PROGRAM = """
import importlib, os, sys, threading
before = os.listdir("/dev/fd")
for name in sys.argv[1:]:
    importlib.import_module(name)
assert os.listdir("/dev/fd") == before, "something is open"
assert threading.active_count() == 1, "something is running"
assert os.listdir() == [], "something was written"
"""


def test_importing_every_module_opens_nothing_starts_nothing_and_writes_nothing(tmp_path: Path) -> None:
    names = [module_name(path) for path in MODULES if path.name != "__main__.py"]
    assert len(names) > 40
    # Nothing could be opened with these settings if they were read.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "QUEUE_URL": "nowhere:",
        "ARCHIVE_URL": "nowhere:",
        "TOKEN": "",
        "PORT": "none",
    }
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
