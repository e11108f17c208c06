"""How many processors this process may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROCESS: Final = Path("/proc/self/cgroup")
_MOUNTED: Final = Path("/sys/fs/cgroup")


def available_cpus(process: Path = _PROCESS, mounted: Path = _MOUNTED) -> int:
    """The whole processors that affinity and the quotas of control groups leave, at least 1.

    A quota of 2.5 processors counts as 2: a third worker would be throttled for half of the time, and the others
    with it. Of groups within groups the smallest quota holds.
    process, mounted: where Linux tells a process's groups, and where their files are.
    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
    https://docs.kernel.org/scheduler/sched-bwc.html#management
    """
    has_affinity = hasattr(os, "sched_getaffinity")  # Linux has, macOS has not
    allowed = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return max(1, int(min([allowed, *_quotas(process, mounted)])))


def _quotas(process: Path, mounted: Path) -> Iterator[float]:
    """Processors per quota that is set, of version 1 and version 2."""
    try:
        lines = process.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2
            for group in _groups(mounted, path):
                yield from _quota(group / "cpu.max", None)
        elif "cpu" in controllers.split(","):
            for group in _groups(mounted / "cpu", path):
                yield from _quota(group / "cpu.cfs_quota_us", group / "cpu.cfs_period_us")


def _groups(root: Path, path: str) -> Iterator[Path]:
    """A group's directory and those above it; in a container only the root may be there, whatever the path says."""
    group = root / path.lstrip("/")
    while group != root:
        yield group
        group = group.parent
    yield root


def _quota(quota: Path, period: Path | None) -> Iterator[float]:
    """Nothing where the file is not there, or sets no quota."""
    try:
        text = quota.read_text() + (f" {period.read_text()}" if period else "")
        microseconds, per = (int(number) for number in text.split())
    except (OSError, ValueError):  # "max" in version 2
        return
    if microseconds > 0 and per > 0:  # -1 is no quota in version 1
        yield microseconds / per
