"""How long a worker has to end, and who ends it where its parent is gone."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from processing_requests.settings import IntakeSettings

# For a worker to end, beside the drain and the queue's last confirmation.
_END_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 1.0


def seconds_to_end(settings: IntakeSettings) -> float:
    """From when a worker is told to stop until it is killed."""
    return settings.drain_seconds + settings.queue_timeout_seconds + _END_SECONDS


def end_after(parent: int, *, seconds: float) -> None:
    """Kill this process where it still runs so many seconds after its parent has ended: it is stuck, and has the port.

    On a thread, for the event loop may be what is stuck. No word of it in the log: that may be what it waits for.
    parent: a process ID.
    """
    threading.Thread(target=_end_after, args=(parent, seconds), daemon=True).start()


def _end_after(parent: int, seconds: float) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)
