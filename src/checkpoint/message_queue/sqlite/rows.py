"""What happens to the rows of `messages` when they are received."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import Message
from checkpoint.message_queue.sqlite.database import transaction

if TYPE_CHECKING:
    import sqlite3

SOME_VISIBLE: Final = "SELECT EXISTS (SELECT 1 FROM messages WHERE visible_at <= ?)"
VISIBLE: Final = (
    "SELECT id, receipt, receive_count, body FROM messages WHERE visible_at <= ? ORDER BY visible_at, id LIMIT ?"
)
HIDE: Final = "UPDATE messages SET visible_at = ?, receipt = ?, receive_count = receive_count + 1 WHERE id = ?"
COPY: Final = (
    "INSERT INTO dead_letters (dead_at, receive_count, reason, body)"
    " SELECT ?, receive_count, ?, body FROM messages WHERE id = ? AND receipt = ?"
)
DELETE: Final = "DELETE FROM messages WHERE id = ? AND receipt = ?"
HIDE_UNTIL: Final = "UPDATE messages SET visible_at = ? WHERE id = ? AND receipt = ?"


def take(
    connection: sqlite3.Connection, at_most: int, *, now: float, visible_again_at: float, max_receives: int
) -> list[Message]:
    """Hide the messages that come first, and set aside those received too often.

    Where nothing is visible, it neither locks nor writes.
    """
    if not connection.execute(SOME_VISIBLE, (now,)).fetchone()[0]:
        return []
    with transaction(connection):
        rows = connection.execute(VISIBLE, (now, at_most)).fetchall()
        while spent := [row for row in rows if row[2] >= max_receives]:
            for id_, receipt, count, _ in spent:
                reason = f"It was received {count} times and never deleted."
                move_to_dead_letters(connection, (id_, receipt), reason, now=now)
            rows = connection.execute(VISIBLE, (now, at_most)).fetchall()
        # Random, and not the receive count: in a file that was replaced, ids and counts begin anew.
        receipts = [secrets.randbits(63) for _ in rows]
        hidden = [(visible_again_at, receipt, row[0]) for receipt, row in zip(receipts, rows, strict=True)]
        connection.executemany(HIDE, hidden)
    return [
        Message(body, f"{id_}:{receipt}", count + 1)
        for receipt, (id_, _, count, body) in zip(receipts, rows, strict=True)
    ]


def key(message: Message) -> tuple[str, str]:
    """The id and the receipt's own number; SQLite compares them with numbers, and refuses no text."""
    id_, _, receipt = message.receipt.partition(":")
    return id_, receipt


def move_to_dead_letters(
    connection: sqlite3.Connection, row: tuple[int, int] | tuple[str, str], reason: str, *, now: float
) -> None:
    """Within a transaction of the caller's; moves nothing where no row has that id and receipt."""
    connection.execute(COPY, (now, reason, *row))
    connection.execute(DELETE, row)
