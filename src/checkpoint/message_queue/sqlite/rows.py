"""What happens to the rows of `messages` when they are received."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import Message
from checkpoint.message_queue.sqlite.database import transaction

if TYPE_CHECKING:
    import sqlite3

SOME_VISIBLE: Final = "SELECT EXISTS (SELECT 1 FROM messages WHERE visible_at <= ?)"
VISIBLE: Final = "SELECT id, receive_count, body FROM messages WHERE visible_at <= ? ORDER BY visible_at, id LIMIT ?"
HIDE: Final = "UPDATE messages SET visible_at = ?, receive_count = receive_count + 1 WHERE id = ?"
COPY: Final = (
    "INSERT INTO dead_letters (dead_at, receive_count, reason, body)"
    " SELECT ?, receive_count, ?, body FROM messages WHERE id = ? AND receive_count = ?"
)
DELETE: Final = "DELETE FROM messages WHERE id = ? AND receive_count = ?"
HIDE_UNTIL: Final = "UPDATE messages SET visible_at = ? WHERE id = ? AND receive_count = ?"


def take(
    connection: sqlite3.Connection, at_most: int, *, now: float, visible_again_at: float, max_receives: int
) -> list[Message]:
    """Hide the messages that have been visible for longest, and set aside those received too often.

    Where nothing is visible, it neither locks nor writes.
    """
    if not connection.execute(SOME_VISIBLE, (now,)).fetchone()[0]:
        return []
    with transaction(connection):
        rows = connection.execute(VISIBLE, (now, at_most)).fetchall()
        while spent := [(id_, count) for id_, count, _ in rows if count >= max_receives]:
            for id_, count in spent:
                move_to_dead_letters(
                    connection, (id_, count), f"It was received {count} times and never deleted.", now=now
                )
            rows = connection.execute(VISIBLE, (now, at_most)).fetchall()
        connection.executemany(HIDE, [(visible_again_at, id_) for id_, _, _ in rows])
    return [Message(body, f"{id_}:{count + 1}", count + 1) for id_, count, body in rows]


def key(message: Message) -> tuple[str, str]:
    """The id and receive count that a receipt stands for; SQLite compares them with numbers, and refuses no text."""
    id_, _, receive_count = message.receipt.partition(":")
    return id_, receive_count


def move_to_dead_letters(
    connection: sqlite3.Connection, row: tuple[int, int] | tuple[str, str], reason: str, *, now: float
) -> None:
    """Within a transaction of the caller's; moves nothing where no row has that id and receive count."""
    connection.execute(COPY, (now, reason, *row))
    connection.execute(DELETE, row)
