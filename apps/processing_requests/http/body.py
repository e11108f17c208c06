"""A request's body as it arrives: as many bytes as were declared, or chunks."""

from __future__ import annotations

from typing import Final

import httptools

from processing_requests.http.bounds import FRAMING_BYTES, FRAMING_BYTES_PER_CHUNK, FRAMING_BYTES_PER_DATA_BYTE


class InvalidBodyError(Exception):
    """What arrives is no chunked body."""


class SizedBody:
    """A body whose length was declared.

    is_whole: whether its end has arrived. length: its data so far, in bytes. data: the data, unless it is dropped.
    """

    __slots__ = ("_declared", "_dropped", "data", "is_whole", "length")

    def __init__(self, declared: int) -> None:
        self.is_whole = declared == 0
        self.length = 0
        self.data = bytearray()
        self._declared = declared
        self._dropped = False

    def feed(self, data: bytes, start: int) -> int:
        """Take what belongs to the body from `data[start:]`; give where the rest starts."""
        end = min(len(data), start + self._declared - self.length)
        self.length += end - start
        self.is_whole = self.length == self._declared
        if not self._dropped:
            self.data += data[start:end]
        return end

    def drop(self) -> None:
        """Keep nothing, now and later: the body is only to come to its end."""
        self._dropped = True
        self.data = bytearray()


# The parser of a request's head has seen what follows a declared length, or an offer; this one sees a chunked body.
_HEAD: Final = b"POST / HTTP/1.1\r\nHost: \r\nTransfer-Encoding: chunked\r\n\r\n"


class ChunkedBody:
    """A body in chunks (RFC 9112, 7.1). Extensions and trailers are ignored, and bounded.

    is_whole, length, data: as `SizedBody` has them.
    is_followed: whether more came with its end. httptools cannot say where in the bytes the end was, so what follows
    can only be dropped.
    """

    __slots__ = ("_chunks", "_dropped", "_fed", "_parser", "data", "is_followed", "is_whole", "length")

    def __init__(self) -> None:
        self.is_whole = False
        self.is_followed = False
        self.length = 0
        self.data = bytearray()
        self._chunks = 0
        self._dropped = False
        self._fed = 0
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(_HEAD)
        self.is_followed = False

    def feed(self, data: bytes, start: int) -> int:
        """As `SizedBody` has it, but that it takes all bytes. Raises InvalidBodyError."""
        self._fed += len(data) - start
        try:
            self._parser.feed_data(data[start:] if start else data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self.is_whole:
                raise InvalidBodyError from None
            self.is_followed = True
        allowed = FRAMING_BYTES + FRAMING_BYTES_PER_CHUNK * self._chunks + FRAMING_BYTES_PER_DATA_BYTE * self.length
        if self._fed - self.length > allowed and not self.is_followed:
            raise InvalidBodyError
        return len(data)

    def drop(self) -> None:
        """As `SizedBody` has it."""
        self._dropped = True
        self.data = bytearray()

    def on_message_begin(self) -> None:
        """As httptools says."""
        self.is_followed = True

    def on_chunk_header(self) -> None:
        """As httptools says."""
        self._chunks += 1

    def on_body(self, data: bytes) -> None:
        """As httptools says."""
        if not self.is_whole:
            self.length += len(data)
            if not self._dropped:
                self.data += data

    def on_message_complete(self) -> None:
        """As httptools says."""
        self.is_whole = True
