"""What a receiver does with the rows of the queue's file; each within a transaction of the caller's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from checkpoint.message_queue.port import TRACEPARENT_CHARACTERS, Message
from checkpoint.message_queue.sqlite import statements

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable


_APART: Final = ":long"
_Values = tuple[float, float, int, int, int]


class Key(NamedTuple):
    """One receive of a message.

    id, receipt: of its row, as numbers or their digits: SQLite compares them alike.
    is_apart: whether its state is in `long_messages`.
    """

    id: int | str
    receipt: int | str
    is_apart: bool

    @classmethod
    def read(cls, text: str) -> Self:
        """From a message's receipt; of a text that `receive` did not give, a key that no row has."""
        is_apart = text.endswith(_APART)
        id_, _, receipt = text.removesuffix(_APART).partition(":")
        return cls(id_, receipt, is_apart)


class Visible(NamedTuple):
    """A message that may be received; `statements.VISIBLE` says what of it."""

    id: int
    receipt: int
    receive_count: int
    body_bytes: int
    is_new: int
    is_apart: int
    body: bytes | None
    sent_at: float | None
    traceparent: str | None

    @property
    def key(self) -> Key:
        """Its last receive."""
        return Key(self.id, self.receipt, bool(self.is_apart))


def any_visible(connection: sqlite3.Connection, now: float) -> bool:
    """Whether there is something to receive. Needs no transaction."""
    found: int = connection.execute(statements.ANY_VISIBLE, (now,)).fetchone()[0]
    return bool(found)


def visible(connection: sqlite3.Connection, now: float, *, at_most: int, payload_bytes: int) -> list[Visible]:
    """The messages to receive next: as many as one receive may bring, or one that is longer."""
    found: list[Visible] = []
    total = 0
    for row in map(Visible._make, connection.execute(statements.VISIBLE, (now, at_most))):
        total += row.body_bytes
        if found and total > payload_bytes:
            break
        found.append(row)
    return found


def receive(
    connection: sqlite3.Connection, rows: list[Visible], *, receipt: int, now: float, seconds: float
) -> list[Message]:
    """Hide messages, and give each the new receipt."""
    unread = [row.id for row in rows if row.body is None]
    long_rows = connection.execute(statements.LONG_BODIES, (json.dumps(unread),)).fetchall() if unread else []
    read = {id_: rest for id_, *rest in long_rows}
    short: list[_Values] = []
    long: list[_Values] = []
    messages = []
    until = statements.visible_from(now + seconds)
    for id_, _, receive_count, _, is_new, is_apart, body, sent_at, traceparent in rows:
        goes_apart = is_apart or (is_new and body is None)
        count = receive_count + 1
        (long if goes_apart else short).append((until, seconds, receipt, count, id_))
        key = f"{id_}:{receipt}{_APART if goes_apart else ''}"
        if body is None:
            messages.append(_message(key, count, *read[id_]))
        else:
            messages.append(_message(key, count, body, sent_at, traceparent))
    if short:
        connection.executemany(statements.RECEIVE, short)
    if long:
        connection.executemany(statements.SET_APART, [(row[-1],) for row in long])
        connection.executemany(statements.RECEIVE_LONG, long)
    return messages


def _message(key: str, count: int, body: bytes, sent_at: float | None, traceparent: str | None) -> Message:
    if traceparent is not None and len(traceparent) != TRACEPARENT_CHARACTERS:  # a statement made by hand
        traceparent = None
    return Message(body, key, count, sent_at, traceparent)


def hide(connection: sqlite3.Connection, keys: Iterable[Key], *, now: float, seconds: float) -> list[bool]:
    """Hide messages for so many seconds from now on, and not longer; tells of each whether it was there."""
    cursor = connection.cursor()
    values = statements.visible_from(now + seconds), seconds
    return [
        cursor.execute(
            statements.HIDE_LONG if key.is_apart else statements.HIDE, (*values, key.id, key.receipt)
        ).rowcount
        > 0
        for key in keys
    ]


def delete(connection: sqlite3.Connection, keys: Iterable[Key]) -> list[bool]:
    """Delete messages; tells of each whether it was there."""
    cursor = connection.cursor()
    return [_delete(cursor, key) for key in keys]


def dead_letter(connection: sqlite3.Connection, key: Key, reason: str, *, dead_at: float) -> None:
    """Move a message to the dead letters; moves nothing where no row has that id and receipt.

    A long body is deleted before it is written anew, so that it takes the pages that it had.
    """
    cursor = connection.cursor()
    if not key.is_apart:
        cursor.execute(statements.DEAD_LETTER, (dead_at, reason, key.id, key.receipt))
        _delete(cursor, key)
    elif row := cursor.execute(statements.LONG, key[:2]).fetchone():
        _delete(cursor, key)
        cursor.execute(statements.DEAD_LETTER_LONG, (*row, dead_at, reason))


def _delete(cursor: sqlite3.Cursor, key: Key) -> bool:
    if not key.is_apart:
        return cursor.execute(statements.DELETE, key[:2]).rowcount > 0
    if not cursor.execute(statements.DELETE_LONG, key[:2]).rowcount:
        return False
    return cursor.execute(statements.DELETE_BODY, key[:1]).rowcount > 0
