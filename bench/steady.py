"""A steady client: ever new e-mails at a rate per second, over a few connections that are kept."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS: Final = 16
FIRST_TIMESTREAM: Final = 1_706_213_694
_ANSWER_SECONDS: Final = 30
_PAUSE_SECONDS: Final = 0.1


class SteadyClient:
    """Posts to a port of this machine.

    answers: how many there were, by status. failures: posts whose connection ended without an answer; they are not
    posted again.
    """

    def __init__(self, port: int, *, rate: float, token: str) -> None:
        self.answers: Counter[int] = Counter()
        self.failures = 0
        self._port = port
        self._seconds_between = CONNECTIONS / rate
        self._token = token
        self._numbers = count(FIRST_TIMESTREAM)
        self._is_stopping = False

    async def post_until_stopped(self) -> None:
        """Post; a connection that is late posts without a pause until it has made up for it."""
        async with asyncio.TaskGroup() as connections:
            for number in range(CONNECTIONS):
                connections.create_task(self._post(delay=self._seconds_between * number / CONNECTIONS))

    def stop(self) -> None:
        """Post no more; what was posted is still answered."""
        self._is_stopping = True

    async def _post(self, *, delay: float) -> None:
        loop = asyncio.get_running_loop()
        due = self._due(loop.time() + delay)
        while not self._is_stopping:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            try:
                await asyncio.sleep(next(due) - loop.time())
                while not self._is_stopping:
                    writer.write(self._request())
                    self.answers[await asyncio.wait_for(_status(reader), _ANSWER_SECONDS)] += 1
                    await asyncio.sleep(next(due) - loop.time())
            except (OSError, EOFError, TimeoutError):
                self.failures += 1
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    def _due(self, first: float) -> Iterator[float]:
        return (first + number * self._seconds_between for number in count())

    def _request(self) -> bytes:
        data = {
            "email_subject": "Your Subject",
            "email_sender": "Your Sender",
            "email_timestream": str(next(self._numbers)),
            "email_content": "Your Content",
        }
        body = json.dumps({"data": data, "token": self._token}).encode()
        head = f"Host: 127.0.0.1:{self._port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        return f"POST /process_request HTTP/1.1\r\n{head}\r\n\r\n".encode() + body


async def _status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return int(head.split(maxsplit=2)[1])
