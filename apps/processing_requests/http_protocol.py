"""HTTP as uvicorn speaks it, with the bounds that it lacks: for a request's head, and for what no handler waits for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from processing_requests.answers import HEAD_TOO_LARGE, INVALID_HTTP
from processing_requests.declined_upgrade import DecliningProtocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from processing_requests.answers import Refusal

# More than any client or load balancer sends; what came together with the head's first byte is not counted.
_MAX_HEAD_BYTES: Final = 65_536

_log = structlog.get_logger()


class BoundedProtocol(DecliningProtocol):
    """One client's connection.

    header_timeout_seconds: for a request's head to arrive, and for the rest of a body that was answered unread. An
    answered body is read to its end, for a connection that is closed over unread bytes may lose the answer.
    """

    header_timeout_seconds: float = 10

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        """As asyncio says."""
        super().connection_made(transport)
        self._awaited: Literal["head", "body", "next request"] = "head"
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._watch()

    def data_received(self, data: bytes) -> None:
        """As asyncio says."""
        if self._awaited == "head":
            if self._head_bytes > _MAX_HEAD_BYTES:
                self._refuse(HEAD_TOO_LARGE)
                return
            self._head_bytes += len(data)
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio says."""
        self._disarm()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """As httptools says."""
        self._awaited, self._head_bytes = "head", 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """As httptools says; the trailers of a chunked body come here too, as many as a client likes, for nobody."""
        if self._awaited == "head":
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """As httptools says."""
        self._awaited = "body"
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """As httptools says."""
        self._awaited = "next request"
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  uvicorn's words, in place of which are ours
        """Answer what is not HTTP; a whole request that came before it is answered still."""
        if self._is_answering() and (self.pipeline or not self.cycle.more_body):
            self.cycle.keep_alive = False
            self.flow.pause_reading()
        else:
            self._refuse(INVALID_HTTP)

    def _watch(self) -> None:
        """See that a deadline runs whenever the client owes bytes that no handler waits for."""
        if self._is_answering() or self.transport.is_closing():
            self._disarm()
        elif self._awaited == "next request":
            self._disarm()
            if self.timeout_keep_alive_task is None:
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.header_timeout_seconds, self._close_timed_out)

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close_timed_out(self) -> None:
        _log.debug("connection_timed_out", awaited=self._awaited)
        self.transport.close()

    def _refuse(self, refusal: Refusal) -> None:
        body = json.dumps({"error": refusal.error}).encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        lines = [STATUS_LINE[refusal.status], *(b"%s: %s\r\n" % header for header in headers), b"\r\n", body]
        self.transport.write(b"".join(lines))
        self.transport.close()


def bounded(header_timeout_seconds: float) -> type[BoundedProtocol]:
    """The protocol with that timeout; uvicorn makes its instances and hands them no more than its own arguments."""
    return type("BoundedProtocol", (BoundedProtocol,), {"header_timeout_seconds": header_timeout_seconds})
