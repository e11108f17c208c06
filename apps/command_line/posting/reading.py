"""Reads a file, a pipe or a terminal without keeping the loop, or the end of the program, waiting."""

from __future__ import annotations

import asyncio
import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

_CHUNK: Final = 256 * 1024


async def read(descriptor: int) -> AsyncIterator[bytes]:
    """The bytes from here to the end. Raises OSError."""
    while chunk := await _next_chunk(descriptor):
        yield chunk


async def cut_into_lines(chunks: AsyncIterator[bytes], *, longest: int) -> AsyncIterator[Sequence[bytes | None]]:
    """Lines without their ends, some at a time; None for one that has more bytes than `longest`, which is not kept."""
    rest: list[bytes] = []
    held = 0
    is_too_long = False
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")
        lines: list[bytes | None] = []
        for piece, ends in [(first, bool(others)), *((each, True) for each in others[:-1])]:
            held += len(piece)
            is_too_long = held > longest
            rest = [] if is_too_long else [*rest, piece]
            if ends:
                lines.append(None if is_too_long else b"".join(rest))
                rest, held = [], 0
        if others:
            rest, held = [others[-1]], len(others[-1])
        if lines:
            yield lines
    if held:
        yield [None if held > longest else b"".join(rest)]


async def _next_chunk(descriptor: int) -> bytes:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        # A thread that waits for a pipe could not be stopped: Ctrl-C would wait for the other end.
        await _wait_until_readable(descriptor)
    return await asyncio.to_thread(os.read, descriptor, _CHUNK)


async def _wait_until_readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(descriptor, readable.set)
    except PermissionError:  # /dev/null and its like, which epoll(7) does not take, and which never wait
        return
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
