"""One client's connection: HTTP/1.1 and 1.0 as RFC 9112 asks of an origin server."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import structlog

from checkpoint.operations.telemetry import log_failure
from processing_requests import answers
from processing_requests.http.body import ChunkedBody
from processing_requests.http.reader import RequestReader

if TYPE_CHECKING:
    import asyncio

    from processing_requests.http.open_connections import OpenConnections, State
    from processing_requests.http.request import Request
    from processing_requests.http.response import Response

_log = structlog.get_logger()


class Connection(RequestReader):
    """Answers requests one at a time, in their order.

        idle ──▶ head ──▶ body ──▶ answering ──▶ held ──▶ untaken ──▶ idle
                                                                 ├──▶ dropping ──▶ idle
                                                                 └──▶ closing

    idle, head, body: the client is to send; in `head` also a new connection that has sent nothing.
    answering: the route has the request, or a long answer is sent. held: the answer is held back, so that a crowd that
    ignores `Retry-After` cannot spin. untaken: the client does not read the answer. dropping: the request is answered,
    and the rest of its body is read for nobody. closing: the answer ended the connection, and the client is still
    sending.
    A state that has nothing to wait for is passed over: most requests go from idle to answering and back.

    Each state has a bound in time; `OpenConnections` keeps them. While the client is owed an answer, one read of what
    it sends ahead is kept, and no more is read.
    """

    __slots__ = ("_held",)

    def __init__(self, connections: OpenConnections) -> None:
        super().__init__(connections)
        self._held: Response | None = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio says."""
        super().connection_made(transport)
        self._state = self._connections.head
        self._connections.opened(self)

    def data_received(self, data: bytes) -> None:
        """As asyncio says."""
        try:
            self._read(data)
        except Exception as error:  # noqa: BLE001  one connection's fault is not the others'
            log_failure(_log, error)
            self.abort()

    def _read(self, data: bytes) -> None:
        states, state = self._connections, self._state
        if state is states.idle:
            self._read_head(data, 0)
        elif state is states.head:
            self._read_head(self._unread + data if self._unread else data, 0)
        elif state is states.body or state is states.dropping:
            self._read_body(data, 0)
        elif state is not states.closing and not self._keep(data, 0):
            self._forget()
            self._closes = self._is_broken = True

    def eof_received(self) -> bool:
        """As asyncio says: a client that has sent a whole request may end its half, and is answered."""
        self._has_ended = True
        states = self._connections
        return self._state in (states.answering, states.held, states.untaken)

    def resume_writing(self) -> None:
        """As asyncio says."""
        super().resume_writing()
        if self._state is self._connections.untaken:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  whatever it was, the client is gone
        """As asyncio says."""
        if self._state is self._connections.body and self._request and self._route:
            self._route.disconnected(self._request)
        self._request = None
        self._forget()
        self._end_parts()
        if self._body is not None:
            self._body.drop()
        self._connections.lost(self)

    # What a route calls.

    def respond(self, request: Request, response: Response) -> None:
        """As `routes.Client` says; pointless is an answer that was given already, or whose client is gone."""
        if request is not self._request:
            return
        if response.is_held and not self._connections.draining:
            self._held = response
            self._move(self._connections.held)
        else:
            self._write(response)

    # What OpenConnections calls, when a state has lasted too long, or the service stops.

    def close(self) -> None:
        """End it without an answer."""
        self._move(self._connections.closing)
        self._transport.close()

    def abort(self) -> None:
        """End it although bytes are not sent."""
        self._move(self._connections.closing)
        self._transport.abort()

    def time_out(self) -> None:
        """End it because of the client, who was to do something in this state."""
        _log.debug("connection_timed_out", state=self._state.name)
        self.abort()

    def end_body(self) -> None:
        """Answer that the body did not come in time; the rest of it is not waited for."""
        self._is_broken = True
        self._refuse(answers.REQUEST_TIMEOUT)

    def release(self) -> None:
        """Give the answer that was held back."""
        if self._held:
            self._write(self._held)

    def drain(self) -> None:
        """End it now where it waits for a request, else after the next answer."""
        states = self._connections
        if self._state is states.idle or (self._state is states.head and not self._unread):
            self._transport.close()
        elif self._state is states.dropping:
            self._close()

    def end_drain(self) -> None:
        """Answer what is not answered, for the time is over."""
        if self._request and self._state is not self._connections.held:
            self._refuse(answers.QUEUE_UNAVAILABLE)

    def _write(self, response: Response) -> None:
        request = cast("Request", self._request)
        self._request = self._held = None
        if not response.body and request.method != b"HEAD" and not self._begin_parts(response.long_body):
            response = answers.refused(request.fields, answers.OVERLOADED)
        if response.closes or not request.keeps_alive or self._connections.draining:
            self._closes = True
        elif isinstance(self._body, ChunkedBody):
            # The client may send its next request together with the end of this body, which cannot be told apart there.
            self._closes = True
        if self._closes:
            connection = b"Connection: close\r\n\r\n"
        else:
            connection = b"Connection: keep-alive\r\n\r\n" if request.is_http_1_0 else b"\r\n"
        self._send(response, connection, b"" if request.method == b"HEAD" else response.body)
        self._answered()

    def _answered(self) -> None:
        """Go on after an answer, once the client has taken it."""
        states = self._connections
        if self._is_full:
            self._move(states.untaken)
            self._stop_reading()
        elif self._parts is not None:
            self._move(states.answering)
            states.loop.call_soon(self._go_on_sending)
        elif self._body is not None and not self._is_broken and not states.draining:
            self._go_on_dropping()
        elif self._closes or states.draining:
            self._close()
        elif self._unread:
            # One request per turn of the loop, so that no client keeps the others waiting.
            self._move(states.answering)
            states.loop.call_soon(self._read_unread)
        elif self._has_ended:
            self._transport.close()
        else:
            self._move(states.idle)
            self._read_on()

    def _go_on_sending(self) -> None:
        """Send the next part of a long answer: one per turn of the loop, so that no client keeps the others waiting."""
        if self._transport.is_closing():
            return
        try:
            if self._send_part() and not self._is_full:
                self._connections.loop.call_soon(self._go_on_sending)
            else:
                self._answered()
        except Exception as error:  # noqa: BLE001  as above
            log_failure(_log, error)
            self.abort()

    def _go_on_dropping(self) -> None:
        self._move(self._connections.dropping)
        if self._unread:
            data, start = self._unread, self._start
            self._forget()
            self._read_body(data, start)
        if self._state is self._connections.dropping:
            if self._has_ended:
                self._transport.close()
            else:
                self._read_on()

    def _read_unread(self) -> None:
        if self._transport.is_closing():
            return
        self._move(self._connections.idle)
        try:
            self._read_head(self._unread, self._start)
        except Exception as error:  # noqa: BLE001  as above
            log_failure(_log, error)
            self.abort()
        if self._has_ended and self._state in (self._connections.idle, self._connections.head):
            self._transport.close()

    def _close(self) -> None:
        """End it; where the client may be sending, read what it sends for a while."""
        if self._has_ended or not (self._is_broken or self._body is not None or self._unread or not self._is_reading):
            self._transport.close()
            return
        self._forget()
        self._move(self._connections.closing)
        self._transport.write_eof()
        self._read_on()

    def _move(self, state: State) -> None:
        self._state.leave(self)
        self._state = state
        state.enter(self)
