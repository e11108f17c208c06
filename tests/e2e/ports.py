"""Loopback ports that nobody uses."""

from __future__ import annotations

import random
import socket
from typing import Final

# Below the range from which the kernel gives out ports for outgoing connections, of which these tests make thousands.
_FIRST: Final = 20_000
_LAST: Final = 30_000


def free_port() -> int:
    """A port to listen on: free now, and given to nobody who does not ask for that very one."""
    while True:
        port = random.randint(_FIRST, _LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
