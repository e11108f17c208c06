"""The clock that visibility goes by: one for all processes on the file, and nobody can set it.

It is the machine's monotonic clock, which all processes on a file in WAL mode share, because they run on one machine
(https://sqlite.org/wal.html). The file says when that clock read 0, in seconds since 1970 as the wall clock had it when
a process first opened the file after the machine's start. So its time is comparable with the wall clock's, by which
older programs and people go, but no step of the wall clock hides a message for longer, or ends its hiding early.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.sqlite.statements import RELEASE, RELEASE_LONG, visible_from

if TYPE_CHECKING:
    import sqlite3

    from checkpoint.clock import Clock

# Another one after each start of the machine: https://docs.kernel.org/admin-guide/sysctl/kernel.html#random
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

_READ: Final = "SELECT started_at FROM clock WHERE boot_id = ? AND monotonic <= ?"
_WRITE: Final = "REPLACE INTO clock (id, boot_id, monotonic, started_at) VALUES (1, ?, ?, ?)"


def started_at(connection: sqlite3.Connection, clock: Clock) -> float:
    """When the monotonic clock read 0: what to add to it for the queue's time, in seconds since 1970.

    Within a transaction of the caller's. Where the file was last opened before the machine's start, or on another
    machine, it is found anew, and everything in flight is released: whoever received it is no longer there.
    """
    known = known_start(connection, clock)
    if known is not None:
        return known
    boot_id, monotonic = _boot_id(), clock.monotonic()
    found = clock.time() - monotonic
    connection.execute(_WRITE, (boot_id, monotonic, found))
    for release in (RELEASE, RELEASE_LONG):
        connection.execute(release, (visible_from(found + monotonic),))
    return found


def known_start(connection: sqlite3.Connection, clock: Clock) -> float | None:
    """What `started_at` would find in the file; None where it would find it anew. Changes nothing."""
    row: tuple[float] | None = connection.execute(_READ, (_boot_id(), clock.monotonic())).fetchone()
    return row[0] if row else None


def _boot_id() -> str:
    """Empty where the system has none, as macOS: a start shows by a monotonic clock that is behind the file's then."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
