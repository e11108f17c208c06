"""From bytes to requests: a head, then a body within its bounds."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, cast

import structlog

from processing_requests import answers
from processing_requests.answers import RefusedError
from processing_requests.http.body import ChunkedBody, InvalidBodyError, SizedBody
from processing_requests.http.bounds import MAX_HEAD_BYTES
from processing_requests.http.client_stream import ClientStream
from processing_requests.http.request import Request, refusal_of_start

if TYPE_CHECKING:
    from processing_requests.answers import Refusal
    from processing_requests.http.open_connections import OpenConnections, State
    from processing_requests.http.response import Response
    from processing_requests.http.routes import Route

_log = structlog.get_logger()

# RFC 9112, 2.2: some clients send one after a body. A pattern that never goes back, and a bound: a client may send
# nothing else, as fast as it can, and the others wait while they are passed over.
_EMPTY_LINES: Final = re.compile(rb"(?:\r\n)*+")


class RequestReader(ClientStream):
    """The half of a connection that reads; `Connection` is the other one, and draws the states of both."""

    __slots__ = ("_body", "_closes", "_is_broken", "_max_bytes", "_request", "_route", "_state")

    _state: State

    def __init__(self, connections: OpenConnections) -> None:
        super().__init__(connections)
        self._request: Request | None = None  # until it is answered
        self._route: Route | None = None
        self._body: ChunkedBody | SizedBody | None = None  # until its end has come
        self._max_bytes = 0
        self._closes = False  # after the next answer
        self._is_broken = False  # where the next request begins, nobody can tell

    def respond(self, request: Request, response: Response) -> None:
        """As `routes.Client` says."""
        raise NotImplementedError

    def _answered(self) -> None:
        """Called after each answer."""
        raise NotImplementedError

    def _move(self, state: State) -> None:
        """Enter another state."""
        raise NotImplementedError

    def _read_head(self, data: bytes, start: int) -> None:
        if data.startswith(b"\r\n", start):
            first, start = start, cast("re.Match[bytes]", _EMPTY_LINES.match(data, start)).end()
            if start - first > MAX_HEAD_BYTES:
                self._refuse_head(answers.HEAD_TOO_LARGE)
                return
        end = data.find(b"\r\n\r\n", start) + 4
        if end < 4 or end - start > MAX_HEAD_BYTES:  # noqa: PLR2004  not found
            self._wait_for_head(data[start : start + MAX_HEAD_BYTES + 1])
            return
        try:
            request = Request(data[start:end])
        except RefusedError as refused:
            self._refuse_head(refused.refusal)
            return
        if self._held_bytes:
            self._forget()
        self._request = request
        self._route = route = self._connections.routes.find(request)
        outcome = route.begin(request)
        length = request.length
        most = outcome if isinstance(outcome, int) else math.inf
        if length is None or len(data) - end < length or length > most:
            self._begin_body(request, outcome, data, end)
            return
        stop = end + length  # most requests: the whole of it came in one read
        if stop < len(data) and not self._keep(data, stop):
            self._closes = True
        self._move(self._connections.answering)
        if isinstance(outcome, int):
            route.take(request, data[end:stop], self)
        else:
            self.respond(request, outcome)

    def _wait_for_head(self, head: bytes) -> None:
        refusal = refusal_of_start(head) if head else None
        if refusal:
            self._refuse_head(refusal)
            return
        self._forget()
        self._read_on()
        if not head:
            return
        self._unread = head
        if self._state is not self._connections.head:
            self._move(self._connections.head)
        if not self._hold(len(head)):
            self._refuse_head(answers.OVERLOADED)

    def _refuse_head(self, refusal: Refusal) -> None:
        _log.debug("request_refused", status=refusal.status, error=refusal.error, fields=[])
        self._forget()
        self._closes = self._is_broken = True
        self._connections.on_refused(refusal)
        response = answers.refused({}, refusal)
        self._send(response, b"Connection: close\r\n\r\n", response.body)
        self._answered()

    def _begin_body(self, request: Request, outcome: Response | int, data: bytes, start: int) -> None:
        """Read a body that is not whole yet, or that nobody needs."""
        length = request.length
        self._body = ChunkedBody() if length is None else SizedBody(length)
        if isinstance(outcome, int):
            if length is not None and length > outcome:
                refusal = answers.too_large(outcome)
            elif self._hold(request.kept_bytes):
                self._max_bytes = outcome
                self._move(self._connections.body)
                if request.waits_for_100 and start == len(data):
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                self._read_on()
                self._read_body(data, start)
                return
            else:
                self._forget()
                refusal = answers.OVERLOADED
            outcome = cast("Route", self._route).refuse(request, refusal)
        self._move(self._connections.answering)
        is_whole = self._drop_body(data, start)
        if request.waits_for_100 and not is_whole:  # it may send the body all the same, or not
            self._closes = self._is_broken = True
        self.respond(request, outcome)

    def _read_body(self, data: bytes, start: int) -> None:
        body = cast("ChunkedBody | SizedBody", self._body)
        before = body.length
        try:
            stop = body.feed(data, start)
        except InvalidBodyError:
            self._is_broken = True
            self._refuse(answers.INVALID_HTTP)
            return
        if self._state is self._connections.dropping:
            if body.is_whole:
                self._body = None
                self._keep_rest(body, data, stop)
                self._answered()
        elif body.length > self._max_bytes:
            if body.is_whole:  # then no rest of it is to be dropped; the answer is the same as if there were
                self._body = None
                self._closes = True
                self._keep_rest(body, data, stop)
            self._refuse(answers.too_large(self._max_bytes))
        elif body.is_whole:
            self._forget()
            self._body = None
            self._keep_rest(body, data, stop)
            self._move(self._connections.answering)
            request, route = cast("Request", self._request), cast("Route", self._route)
            whole = bytes(body.data)
            body.drop()
            route.take(request, whole, self)
        elif not self._hold(body.length - before):
            self._refuse(answers.OVERLOADED)

    def _drop_body(self, data: bytes, start: int) -> bool:
        """Read what has come of a body that nobody needs; whether that is all of it."""
        body = cast("ChunkedBody | SizedBody", self._body)
        body.drop()
        try:
            stop = body.feed(data, start)
        except InvalidBodyError:
            self._closes = self._is_broken = True
            return False
        if body.is_whole:
            self._body = None
            self._keep_rest(body, data, stop)
        return body.is_whole

    def _keep_rest(self, body: ChunkedBody | SizedBody, data: bytes, start: int) -> None:
        if start < len(data):
            if not self._keep(data, start):
                self._closes = True
        elif isinstance(body, ChunkedBody) and body.is_followed:
            self._closes = self._is_broken = True

    def _refuse(self, refusal: Refusal) -> None:
        """Refuse the request under way, whose body may not be whole."""
        if self._request is None or self._route is None:  # it was answered before its body
            self._transport.close()
            return
        self._forget()
        if self._body is not None:
            self._body.drop()
        if self._state is not self._connections.answering:
            self._move(self._connections.answering)
        self.respond(self._request, self._route.refuse(self._request, refusal))
