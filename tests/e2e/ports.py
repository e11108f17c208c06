"""Loopback ports that nobody uses."""

from __future__ import annotations

import random
import socket
from typing import Final

# Below the range from which the kernel gives out ports for outgoing connections, of which these tests make thousands.
_FIRST: Final = 20_000
_LAST: Final = 30_000

# Whoever gets a port listens on it only later, so that it still seems free until then.
_GIVEN: Final[set[int]] = set()


def free_port() -> int:
    """A port to listen on: free now, and given to nobody else, here or by the kernel."""
    while True:
        port = random.randint(_FIRST, _LAST)
        if port in _GIVEN:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _GIVEN.add(port)
            return port
