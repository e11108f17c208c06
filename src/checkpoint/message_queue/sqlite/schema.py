"""The tables of the queue's file, and how the file of an older program is carried on."""

from __future__ import annotations

import sqlite3
from typing import Final

# What each version adds to the one before. A new file takes the same steps as an old one, so that both end up alike.
# A step only adds: tables, indexes, and columns with a constant default, which take no time however large the table is
# (https://sqlite.org/lang_altertable.html#alter_table_add_column). So a program of before that has the file open goes
# on working on it beside this one. It then receives long messages that this one has in flight, too, because
# visible_at = 1 is visible to it; both archive them, and they are still one object each. It refuses the file when it
# opens it anew.
_STEPS: Final = (
    (
        # The tables of the time when files had no version: in an old file they are there already.
        # AUTOINCREMENT: a receipt names an id, which must never come to name another message.
        """
        CREATE TABLE IF NOT EXISTS messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            visible_at REAL NOT NULL DEFAULT 0,
            receive_count INTEGER NOT NULL DEFAULT 0,
            receipt INTEGER NOT NULL DEFAULT 0,
            body BLOB NOT NULL
        ) STRICT
        """,
        "CREATE INDEX IF NOT EXISTS messages_by_visible_at ON messages (visible_at)",
        """
        CREATE TABLE IF NOT EXISTS dead_letters (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            dead_at REAL NOT NULL,
            receive_count INTEGER NOT NULL,
            reason TEXT NOT NULL,
            body BLOB NOT NULL
        ) STRICT
        """,
        "CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL) STRICT",
        # sent_at: when it was sent, in seconds since 1970 by the wall clock. NULL where its sender did not say: an
        # older program, or a statement made by hand.
        "ALTER TABLE messages ADD COLUMN sent_at REAL",
        "ALTER TABLE dead_letters ADD COLUMN sent_at REAL",
        # A message is hidden from visible_at - hidden_for, when it was received, to visible_at, by the clock of the
        # table below. 0 hides nothing: it was never received, or an older program received it.
        "ALTER TABLE messages ADD COLUMN hidden_for REAL NOT NULL DEFAULT 0",
        # Finds what seems to have been received in the future. Never-received messages are not in it.
        "CREATE INDEX messages_by_hidden_at ON messages (visible_at - hidden_for) WHERE visible_at > 0",
        # One row, which clock.py explains.
        """
        CREATE TABLE clock (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            boot_id TEXT NOT NULL,
            monotonic REAL NOT NULL,
            started_at REAL NOT NULL
        ) STRICT
        """,
    ),
    (
        # The state of a message with a long body, once it was received; `statements.py` says why it is apart. A long
        # message that an older program has received keeps its state in its row. No row is written by the upgrade.
        """
        CREATE TABLE long_messages (
            id INTEGER PRIMARY KEY,
            visible_at REAL NOT NULL,
            hidden_for REAL NOT NULL,
            receipt INTEGER NOT NULL,
            receive_count INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX long_messages_by_visible_at ON long_messages (visible_at)",
        "CREATE INDEX long_messages_by_hidden_at ON long_messages (visible_at - hidden_for)",
    ),
    (
        # Of the request that a message came with: https://www.w3.org/TR/trace-context/#traceparent-header. NULL where
        # nobody asked for traces.
        "ALTER TABLE messages ADD COLUMN traceparent TEXT",
        "ALTER TABLE dead_letters ADD COLUMN traceparent TEXT",
        # Counts them without a read of their bodies: on a bad day there are millions, counted again and again.
        "CREATE INDEX dead_letters_by_dead_at ON dead_letters (dead_at)",
    ),
)
VERSION: Final = len(_STEPS)


def read_version(connection: sqlite3.Connection) -> int:
    """The file's version; 0 for a new file, and for one from the time when files had no version.

    Raises sqlite3.NotSupportedError where a newer program made the file what it is. Changes nothing.
    https://sqlite.org/pragma.html#pragma_user_version
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        known = f"the file has version {version}, and this program knows versions up to {VERSION}"
        raise sqlite3.NotSupportedError(f"{known}: run a newer Checkpoint")
    return version


def upgrade(connection: sqlite3.Connection, *, to: int = VERSION) -> None:
    """Bring a new or older file to a version, within a transaction of the caller's; raises as `read_version`."""
    for step in _STEPS[read_version(connection) : to]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {to}")
