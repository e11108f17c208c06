"""A queue in one file, for few messages: each change locks it, reads it, and puts a new one in its place."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from checkpoint.message_queue.port import EntryFault, Limits, Message, QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

_T = TypeVar("_T")


class _Stored(msgspec.Struct):
    body: str
    visible_at: float = 0
    receive_count: int = 0
    receipt: str = ""


class _State(msgspec.Struct):
    messages: list[_Stored] = []
    dead_letters: list[tuple[str, str]] = []
    probes: int = 0


class OneFileQueue:
    """Both halves of the queue."""

    limits = Limits(entries=10, payload_bytes=1_048_576, message_bytes=1_048_576)

    def __init__(self, path: Path, max_receives: int) -> None:
        self._path = path
        self._max_receives = max_receives

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        await self._change(lambda state: state.messages.extend(_Stored(body.decode()) for body in bodies))
        return [None] * len(bodies)

    async def probe(self) -> None:
        def count(state: _State) -> None:
            state.probes += 1  # so that something is written

        await self._change(count)

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        deadline = time.monotonic() + wait_seconds
        while True:
            taken = await self._change(lambda state: self._take(state, at_most, visibility_seconds))
            if taken or time.monotonic() >= deadline:
                return taken
            await asyncio.sleep(0.02)

    async def delete(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        return await self._change_each(messages, lambda state, stored: state.messages.remove(stored))

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        def change(_: _State, stored: _Stored) -> None:
            stored.visible_at = time.time() + visibility_seconds

        return await self._change_each(messages, change)

    async def dead_letter(self, message: Message, reason: str) -> None:
        await self._change_each([message], lambda state, stored: _dead_letter(state, stored, reason))

    def _take(self, state: _State, at_most: int, visibility_seconds: int) -> list[Message]:
        taken = []
        for stored in [each for each in state.messages if each.visible_at <= time.time()][:at_most]:
            if stored.receive_count >= self._max_receives:
                _dead_letter(state, stored, "It was received too often.")
                continue
            stored.visible_at = time.time() + visibility_seconds
            stored.receive_count += 1
            stored.receipt = secrets.token_hex(8)
            taken.append(Message(stored.body.encode(), stored.receipt, stored.receive_count))
        return taken

    async def _change_each(
        self, messages: Sequence[Message], change: Callable[[_State, _Stored], None]
    ) -> list[EntryFault | None]:
        def change_each(state: _State) -> list[EntryFault | None]:
            held = {stored.receipt: stored for stored in state.messages}
            known = {message.receipt for message in messages} & held.keys()
            for receipt in known:
                change(state, held[receipt])
            return [None if each.receipt in known else EntryFault("The receipt is stale.") for each in messages]

        return await self._change(change_each)

    async def _change(self, work: Callable[[_State], _T]) -> _T:
        try:
            return await asyncio.to_thread(self._change_in_thread, work)
        except (OSError, msgspec.DecodeError) as error:
            raise QueueUnavailableError(f"{self._path}: {type(error).__name__}") from None

    def _change_in_thread(self, work: Callable[[_State], _T]) -> _T:
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self._path.read_bytes() if self._path.exists() else b"{}"
            state = msgspec.json.decode(before, type=_State)
            result = work(state)
            after = msgspec.json.encode(state)
            if after != before:
                self._replace(after)
        return result

    def _replace(self, content: bytes) -> None:
        with self._path.with_suffix(".new").open("wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        os.replace(new.name, self._path)  # noqa: PTH105  it takes names
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _dead_letter(state: _State, stored: _Stored, reason: str) -> None:
    state.dead_letters.append((stored.body, reason))
    state.messages.remove(stored)


@asynccontextmanager
async def open_sending(url: str) -> AsyncIterator[OneFileQueue]:
    """The queue at `onefile:///absolute/path`, `?max_receives=20` for another number than that."""
    parts = urlsplit(url)
    max_receives = parse_qs(parts.query).get("max_receives", ["20"])[0]
    if parts.netloc or not parts.path.startswith("/") or not max_receives.isdigit():
        raise ValueError("must be onefile:///absolute/path or onefile:///absolute/path?max_receives=20.")
    yield OneFileQueue(Path(unquote(parts.path)), int(max_receives))


open_receiving = open_sending
