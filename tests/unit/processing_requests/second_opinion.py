"""What h11 makes of a stream of bytes that came to a server: a second opinion on where requests begin and end."""

from __future__ import annotations

from typing import Final, NamedTuple

import h11

_ENOUGH: Final = 2**20


class Opinion(NamedTuple):
    """What h11 says of one request.

    raw: its bytes, as far as h11 has read them. error: why it is none; empty where it is whole.
    """

    raw: bytes
    method: bytes
    target: bytes
    version: bytes
    fields: dict[bytes, bytes]
    body: bytes
    error: str = ""


class Opinions(NamedTuple):
    """What it says of a stream.

    whole: the requests that it takes. rest: what comes after them, and is refused or not whole; None for nothing.
    ends: whether the last whole request is the last of its connection.
    """

    whole: list[Opinion]
    rest: Opinion | None
    ends: bool = False


def read(stream: bytes) -> Opinions:
    """Have a stream read from its beginning. Every request is answered at once."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_ENOUGH)
    connection.receive_data(stream)
    whole: list[Opinion] = []
    start = 0
    while start < len(stream):
        request, body, is_whole, error = _next(connection)
        if not is_whole:
            return Opinions(whole, _opinion(stream[start:], request, body, error))
        stop = len(stream) - len(connection.trailing_data[0])
        whole.append(_opinion(stream[start:stop], request, body))
        start = stop
        connection.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))  # CONNECT is not granted
        connection.send(h11.EndOfMessage())
        if connection.our_state is not h11.DONE:
            return Opinions(whole, None, ends=True)
        connection.start_next_cycle()
    return Opinions(whole, None)


def _next(connection: h11.Connection) -> tuple[h11.Request | None, bytes, bool, str]:
    """The next request, as far as it is there; its body; whether both are whole; why they are none."""
    request, body = None, b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                return request, body, isinstance(event, h11.EndOfMessage), ""
    except h11.RemoteProtocolError as error:
        return request, body, False, str(error)


def _opinion(raw: bytes, request: h11.Request | None, body: bytes, error: str = "") -> Opinion:
    if request is None:
        return Opinion(raw, b"", b"", b"", {}, b"", error)
    fields = dict(request.headers)
    return Opinion(raw, request.method, request.target, request.http_version, fields, body, error)
