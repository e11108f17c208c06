"""What memory a process has, and what else of it can leak: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from processes import PROC

_FIELDS: Final = {"resident": "VmRSS", "peak": "VmHWM", "anonymous": "RssAnon", "of_files": "RssFile"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """In KiB; anonymous and of_files are the parts of resident. threads, files: that it has, and has open."""

    resident: int
    peak: int
    anonymous: int
    of_files: int
    threads: int
    files: int


def memory(process: int) -> Memory:
    """What it has now. Raises OSError where it has ended."""
    lines = (PROC / str(process) / "status").read_text().splitlines()
    fields = {name: value for name, _, value in (line.partition(":") for line in lines)}
    kib = {ours: int(fields[theirs].split()[0]) for ours, theirs in _FIELDS.items()}
    files = sum(1 for _ in (PROC / str(process) / "fd").iterdir())
    return Memory(**kib, threads=int(fields["Threads"]), files=files)
