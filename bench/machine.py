"""What a measurement was made on, and of what: the machine, the programs, the commits."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from disk import file_system
from load import wrk_version
from servers.nginx import program as nginx

if TYPE_CHECKING:
    from collections.abc import Sequence

_CPUINFO: Final = Path("/proc/cpuinfo")


def describe(directory: Path) -> dict[str, str]:
    """The machine and the programs. directory: on the disk that is measured."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "file system of the queue": file_system(directory),
        "load generator": wrk_version() or "none",
        "nginx": _said([nginx() or "nginx", "-v"]).rpartition("/")[2] or "none",
    }


def commit(checkout: Path) -> str:
    """The commit that is checked out, with `-dirty` where files differ from it; `unknown` without git."""
    return _said(["git", "-C", str(checkout), "describe", "--always", "--dirty", "--exclude=*"]) or "unknown"


def _processor() -> str:
    names = [line.partition(":")[2].strip() for line in _CPUINFO.read_text().splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _said(command: Sequence[str]) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return (ended.stdout + ended.stderr).strip()
