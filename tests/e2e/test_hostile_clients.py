"""Clients that want to take what is not theirs, against a real process: its memory, its files, its stop."""

from __future__ import annotations

import http.client
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from e2e.marked import marked
from e2e.posting import post_email
from e2e.waiting import until
from processing_requests.docs.files import documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.services import Service, Services

pytestmark = pytest.mark.parametrize("world", ["one_machine"], indirect=True)

PAGE: Final = b"GET /docs HTTP/1.1\r\nHost: intake\r\n\r\n"
MEBIBYTE: Final = 2**20


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def connect(service: Service, opened: ExitStack) -> socket.socket:
    return opened.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))


def send_unread(service: Service, opened: ExitStack, *, clients: int, size: int) -> None:
    """Send requests over so many connections, and read none of the answers."""
    requests = PAGE * (size // len(PAGE))
    for _ in range(clients):
        client = connect(service, opened)
        client.settimeout(0)
        client.send(requests)


def peak_memory(service: Service) -> int:
    """The most memory that the process has had, in bytes."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def metric(service: Service, name: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", service.private_port, timeout=10)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def test_clients_that_send_requests_and_read_no_answers_take_little_memory_and_delay_nobody(
    services: Services, opened: ExitStack
) -> None:
    intake = services.intake(ANSWER_TIMEOUT_SECONDS="1")
    assert post_email(intake.port, marked(0)).status == 200
    before = peak_memory(intake)

    send_unread(intake, opened, clients=60, size=512 * 1024)
    began = time.monotonic()
    assert [post_email(intake.port, marked(number)).status for number in range(1, 21)] == [200] * 20
    assert time.monotonic() - began < 10
    until(lambda: metric(intake, "checkpoint_connections") == 0, "who does not read is disconnected", within=30)

    assert peak_memory(intake) - before < 32 * MEBIBYTE
    assert "Traceback" not in intake.log


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_clients_that_ask_for_a_long_document_and_do_not_read_it_take_little_memory(
    services: Services, opened: ExitStack, coding: str
) -> None:
    intake = services.intake()
    [path] = [path for path in documents() if path.endswith(b"bundle.js")]
    request = b"GET %s HTTP/1.1\r\nHost: intake\r\nAccept-Encoding: %s\r\n\r\n" % (path, coding.encode())
    assert post_email(intake.port, marked(0)).status == 200
    before = peak_memory(intake)

    for _ in range(300):
        client = opened.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.connect(("127.0.0.1", intake.port))
        client.sendall(request)
    until(lambda: metric(intake, "checkpoint_connections") >= 300, "all are there")
    assert post_email(intake.port, marked(1)).status == 200

    assert peak_memory(intake) - before < 16 * MEBIBYTE  # of 130 MiB that they ask for, or 500


def test_a_stop_does_not_wait_for_clients_that_read_no_answers(services: Services, opened: ExitStack) -> None:
    intake = services.intake(DRAIN_SECONDS="2")
    send_unread(intake, opened, clients=60, size=512 * 1024)
    assert post_email(intake.port, marked(0)).status == 200
    began = time.monotonic()
    assert intake.terminate() == 0
    assert time.monotonic() - began < 6
    assert "Traceback" not in intake.log


def test_more_idle_connections_than_open_files_are_allowed_keep_nobody_out(
    services: Services, opened: ExitStack
) -> None:
    services.file_limit = 1024
    intake = services.intake()
    for _ in range(1500):
        connect(intake, opened)
    until(lambda: metric(intake, "checkpoint_connections_given_up_total") > 0, "connections are given up", within=30)

    assert [post_email(intake.port, marked(number)).status for number in range(40)] == [200] * 40
    assert intake.is_ready()
    assert 700 < metric(intake, "checkpoint_connections") <= 768

    events = [line["event"] for line in intake.events]
    assert events.count("connection_limit_lowered") == 1
    assert events.count("connection_limit_reached") == 1
    assert "unexpected_error" not in events
