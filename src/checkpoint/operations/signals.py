"""The two signals that ask a service to stop: SIGTERM, from whoever runs it, and SIGINT, from a keyboard."""

from __future__ import annotations

import asyncio
import signal


def stop_on_signals() -> asyncio.Event:
    """An event that is set when the process is asked to stop; the default, for PID 1, would be to ignore SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
