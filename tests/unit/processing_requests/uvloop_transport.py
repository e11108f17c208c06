"""A transport as uvloop's is, without a socket: a test says what the client does, and when its bytes move."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from processing_requests.http.connection import Connection


class UvloopTransport(asyncio.Transport):
    """It tells its protocol what uvloop does, in the same order, and refuses the calls that uvloop refuses.

    https://github.com/MagicStack/uvloop/blob/v0.23.0/uvloop/handles/stream.pyx

    sent: what the client sent and nobody has read, in pieces that are read one by one.
    received: what has come to the client. room: how many more bytes the client takes for now.
    is_lost: whether `connection_lost` was called, after which it must hear of nothing.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.received = bytearray()
        self.room = 2**30
        self.is_lost = False
        self.has_client_ended = False
        self._connection = connection
        self._unsent = b""
        self._is_closing = False
        self._is_going = False  # connection_lost is to be called
        self._is_gone = False  # the client has reset the connection
        self._is_reading = False
        self._is_full = False
        self._has_ended = False

    @property
    def has_ended(self) -> bool:
        """Whether the client sees the end of what is sent to it."""
        return (self._has_ended or self._is_closing) and not self._unsent

    @property
    def can_read(self) -> bool:
        return self._is_reading and not self._is_closing

    # What the client and the loop do.

    def open(self) -> None:
        self._connection.connection_made(self)
        self.resume_reading()

    def read(self) -> None:
        """Hand over the next piece, or the end, where the protocol wants to read."""
        if not self.can_read:
            return
        if self._is_gone:
            self.abort()
        elif self.sent:
            self._connection.data_received(self.sent.pop(0))
        elif self.has_client_ended:
            self._is_reading = False
            if not self._connection.eof_received():
                self.close()

    def take(self, room: int) -> None:
        """The client makes room for so many bytes."""
        self.room += room
        if self._unsent and not self._is_going:
            self._flush()
            if not self._unsent:
                self._all_sent()

    def reset(self) -> None:
        """The client ends the connection at once; who does not read finds out when it writes."""
        self._is_gone = True

    # What the protocol calls.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._assert_alive()
        if self._has_ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._is_going:
            return
        if self._is_gone:
            self.abort()
            return
        self._unsent += bytes(data)
        self._flush()
        if self._unsent and not self._is_full:
            self._is_full = True
            self._connection.pause_writing()

    def write_eof(self) -> None:
        self._assert_alive()
        self._has_ended = True

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._is_reading = False
            if not self._unsent:
                self._go()

    def abort(self) -> None:
        if not self._is_going and not self.is_lost:
            self._is_closing = True
            self._is_reading = False
            self._go()

    def is_closing(self) -> bool:
        return self._is_closing

    def pause_reading(self) -> None:
        if self.can_read:
            self._is_reading = False

    def resume_reading(self) -> None:
        if not self._is_closing:
            self._assert_alive()
            self._is_reading = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert (high, low) == (0, None)
        self._assert_alive()

    def _assert_alive(self) -> None:
        if self.is_lost:
            raise RuntimeError("unable to perform operation; the handler is closed")

    def _flush(self) -> None:
        taken = min(self.room, len(self._unsent))
        self.received += self._unsent[:taken]
        self._unsent = self._unsent[taken:]
        self.room -= taken

    def _all_sent(self) -> None:
        if self._is_full:
            self._is_full = False
            self._connection.resume_writing()
        if not self._unsent and self._is_closing and not self._is_going:
            self._go()

    def _go(self) -> None:
        self._is_going = True
        asyncio.get_running_loop().call_soon(self._lose)

    def _lose(self) -> None:
        self._connection.connection_lost(None)
        self.is_lost = True
