"""The public port, where another process still has it."""

from __future__ import annotations

import socket
import threading

import pytest

from processing_requests.http.server import listen


def test_a_port_that_is_given_up_soon_is_waited_for() -> None:
    former = socket.create_server(("127.0.0.1", 0))
    port = former.getsockname()[1]
    giving_up = threading.Timer(0.3, former.close)
    giving_up.start()
    try:
        with listen("127.0.0.1", port) as listening:
            assert listening.getsockname()[1] == port
    finally:
        giving_up.join()


def test_a_port_that_is_not_given_up_is_an_error() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="in use"),
        listen("127.0.0.1", taken.getsockname()[1]),
    ):
        pass
