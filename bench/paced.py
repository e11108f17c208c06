"""A load generator that keeps a rate, and tells answers apart by their status; wrk does neither.

The times at which requests are due are drawn beforehand, with exponential gaps, as many independent clients would post.
The time of an answer counts from when its request was due, even where no connection was free then. So a server that
stalls is charged for all that it kept waiting ("corrected for coordinated omission",
https://www.scylladb.com/2021/04/22/on-coordinated-omission/).

Prints one line of JSON. Run: `python paced.py --port PORT --clients 64 --seconds 4 --rate 1000 < BODY`
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import re
import select
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from typing import Final

_SEED: Final = 1
_DRAIN_SECONDS: Final = 30  # for answers that are still to come when the time is over
_READ: Final = 65_536  # bytes
_KEPT: Final = 200
_SECOND: Final = 1_000_000_000  # nanoseconds
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class Client:
    """One connection at a time. due: when its request was, in nanoseconds; 0: no answer is awaited."""

    __slots__ = ("due", "read", "socket")

    def __init__(self) -> None:
        self.due = 0
        self.read = b""
        self.socket = socket.socket()


class Generator:
    """Posts to a port of this machine.

    times: nanoseconds until the answer, by status. failures: requests whose connection ended without an answer.
    lateness: nanoseconds by which requests left later than they were due, though a connection was free.
    """

    def __init__(self, port: int, body: bytes, *, clients: int) -> None:
        self.times: dict[int, list[int]] = {}
        self.lateness: list[int] = []
        self.failures = 0
        self._address = ("127.0.0.1", port)
        self._request = (
            f"POST /process_request HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        self._epoll = select.epoll()
        self._clients: dict[int, Client] = {}
        for _ in range(clients):
            self._connect(Client())

    def spin(self, seconds: float) -> None:
        """Each client posts again as soon as it is answered."""
        end = time.perf_counter_ns() + int(seconds * _SECOND)
        for client in list(self._clients.values()):
            self._send(client, time.perf_counter_ns())
        while (now := time.perf_counter_ns()) < end:
            for client in self._answered(end - now):
                self._send(client, time.perf_counter_ns())

    def pace(self, seconds: float, rate: float) -> None:
        """Post at a rate per second; return when all is answered, or a while after it should have been."""
        gap = random.Random(_SEED).expovariate  # noqa: S311  draws times, not keys
        now = time.perf_counter_ns()
        end, give_up = now + int(seconds * _SECOND), now + int((seconds + _DRAIN_SECONDS) * _SECOND)
        due = now + int(gap(rate) * _SECOND)
        idle, waiting, awaited = list(self._clients.values()), deque[int](), 0
        while (due < end or waiting or awaited) and now < give_up:
            while due <= now and due < end:
                waiting.append(due)
                if idle:
                    self.lateness.append(now - due)
                due += int(gap(rate) * _SECOND)
            while idle and waiting:
                self._send(idle.pop(), waiting.popleft())
                awaited += 1
            answered = self._answered((due if due < end else give_up) - time.perf_counter_ns())
            idle += answered
            awaited -= len(answered)
            now = time.perf_counter_ns()
        self.failures += awaited + len(waiting)

    def _connect(self, client: Client) -> None:
        client.socket = socket.create_connection(self._address)
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[client.socket.fileno()] = client
        self._epoll.register(client.socket, select.EPOLLIN)

    def _reconnect(self, client: Client) -> None:
        del self._clients[client.socket.fileno()]
        client.socket.close()
        self._connect(client)

    def _send(self, client: Client, due: int) -> None:
        client.due = due
        with suppress(OSError):  # closed meanwhile: its end will be read
            client.socket.send(self._request)

    def _answered(self, nanoseconds: int) -> list[Client]:
        """Wait so long for something to read; gives the clients that are free again."""
        # Not epoll's own timeout, which counts in milliseconds.
        if not select.select([self._epoll], [], [], max(0, nanoseconds) / _SECOND)[0]:
            return []
        return [client for descriptor, _ in self._epoll.poll(0) if self._read(client := self._clients[descriptor])]

    def _read(self, client: Client) -> bool:
        try:
            read = client.socket.recv(_READ)
        except OSError:
            read = b""
        if not read:
            was_awaited = bool(client.due)
            self.failures += was_awaited
            client.due, client.read = 0, b""
            self._reconnect(client)
            return was_awaited
        client.read += read
        head = client.read.find(b"\r\n\r\n")
        length = _LENGTH.search(client.read, 0, head + 2)
        if head < 0 or length is None or len(client.read) < head + 4 + int(length[1]):
            return False
        self.times.setdefault(int(client.read[9:12]), []).append(time.perf_counter_ns() - client.due)
        closes = client.read.startswith(b"HTTP/1.0") or _CLOSES.search(client.read, 0, head + 2)
        client.due, client.read = 0, b""
        if closes:
            self._reconnect(client)
        return True


def percentile(values: list[int], share: float) -> float:
    """Of sorted values, in microseconds; 0 where there are none."""
    return values[min(len(values) - 1, int(share * len(values)))] / 1000 if values else 0


def main() -> None:
    """Run, and print what was seen."""
    parser = argparse.ArgumentParser(description="A load generator that keeps a rate.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rate", type=float, default=0, help="requests per second; 0: as fast as they are answered")
    arguments = parser.parse_args()
    generator = Generator(arguments.port, sys.stdin.buffer.read(), clients=arguments.clients)
    gc.disable()
    began = time.perf_counter()
    if arguments.rate:
        generator.pace(arguments.seconds, arguments.rate)
    else:
        generator.spin(arguments.seconds)
    seconds = time.perf_counter() - began
    kept = sorted(generator.times.pop(_KEPT, []))
    refused = sorted(time for times in generator.times.values() for time in times)
    answers = sorted(kept + refused)
    found = {
        "answers": len(answers),
        "refused": len(refused),
        "microseconds": int(seconds * 1e6),
        "p50": percentile(answers, 0.5),
        "p99": percentile(answers, 0.99),
        "failures": generator.failures,
        "refused_p99": percentile(refused, 0.99),
        "late_p99": percentile(sorted(generator.lateness), 0.99),
    }
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
