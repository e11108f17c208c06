"""The ceiling of this stack: a bare ASGI app on uvicorn, httptools and uvloop, which reads, parses, checks and answers.

It keeps nothing. QUEUE_URL: where it is set, each e-mail is put on that queue by a call of its own before the answer,
so that the difference to the intake is what its batching adds.
Run: `python ceiling.py --port PORT`.
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final

import msgspec
import uvicorn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from checkpoint.message_queue.port import SendingQueue

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

TOKEN: Final = "foobar"  # noqa: S105  the load generator's, on a loopback address


class Email(msgspec.Struct):
    """The fields of an e-mail."""

    email_subject: str
    email_sender: str
    email_timestream: str
    email_content: str


class Posted(msgspec.Struct):
    """What is posted."""

    data: Email
    token: str


_decode: Final = msgspec.json.Decoder(Posted).decode
_encode: Final = msgspec.json.encode


class Ceiling:
    """The app."""

    def __init__(self) -> None:
        self._opened = AsyncExitStack()
        self._queue: SendingQueue | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One request, or the life of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        status, text = self._check(scope, body)
        if status == 200 and self._queue:  # noqa: PLR2004
            await self._queue.send([_encode(_decode(body).data)])
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(text))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    def _check(self, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
        if scope["method"] != "POST" or scope["path"] != "/process_request":
            return 404, b'{"error": "Not Found"}'
        try:
            posted = _decode(body)
        except msgspec.DecodeError:
            return 400, b'{"error": "Invalid date format or fields"}'
        if posted.token != TOKEN:
            return 401, b'{"error": "Invalid token"}'
        if int(posted.data.email_timestream) > time.time() or not posted.data.email_subject:
            return 400, b'{"error": "Invalid date format or fields"}'
        return 200, b'{"message": "Request processed successfully"}'

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if url := os.environ.get("QUEUE_URL"):
            from checkpoint.message_queue.adapters import open_sending  # noqa: PLC0415  only where it is measured

            self._queue = await self._opened.enter_async_context(open_sending(url))
            await self._queue.probe()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._opened.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(description="The ceiling of this stack.")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    uvicorn.run(Ceiling(), port=port, loop="uvloop", http="httptools", ws="none", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
