"""A connection between the parent and a worker that carries whole messages, in order."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

import msgspec

if TYPE_CHECKING:
    import socket

Received = TypeVar("Received")
Sent = TypeVar("Sent")

_LENGTH_BYTES: Final = 4


class Channel(Generic[Sent, Received]):
    """One end of a pair of connected Unix sockets, which an end of the other process closes, however it ends.

    A message is MessagePack behind its length. What is sent waits in memory until the other end reads it.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, receives: Any) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = msgspec.msgpack.Decoder(receives)

    @classmethod
    async def open(cls, end: socket.socket, receives: Any) -> Self:
        """A channel over a socket, which is the channel's from now on.

        receives: the type of what comes from the other end, a union of tagged structs.
        """
        return cls(*await asyncio.open_unix_connection(sock=end), receives)

    def send(self, message: Sent) -> None:
        """Send a message; one that the other end cannot get any more is lost."""
        encoded = msgspec.msgpack.encode(message)
        if not self._writer.is_closing():
            self._writer.write(len(encoded).to_bytes(_LENGTH_BYTES) + encoded)

    async def receive(self) -> Received | None:
        """The next message; None where no more will come, because the other process has ended."""
        try:
            length = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES))
            received: Received = self._decoder.decode(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, OSError):
            return None
        return received

    async def close(self) -> None:
        """Send what is left to be sent, and close."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()
