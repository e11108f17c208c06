"""Receipts by timestream and identity, for millions of them: in a temporary file, in little memory."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from datetime import datetime
from enum import IntEnum
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from command_line.receipts.receipt import Receipt
from command_line.running import CommandError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from checkpoint.email import Email

_ROWS_PER_CALL: Final = 1_000
# A file without a name, below TMPDIR, that is gone when it is closed: https://www.sqlite.org/tempfiles.html
_TEMPORARY: Final = ""
_CACHE_KIBIBYTES: Final = 32 * 1024
# Names of objects come in the order of timestreams, or nearly so, and so do e-mails: few pages are used at a time.
_TABLE: Final = """
CREATE TABLE receipts (
    timestream TEXT NOT NULL, identity BLOB NOT NULL, md5 BLOB NOT NULL, size INTEGER NOT NULL, time TEXT NOT NULL,
    state INTEGER NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (timestream, identity)
) WITHOUT ROWID
"""
_INSERT: Final = "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?, 0, '')"
_MARK: Final = "UPDATE receipts SET state = ?, detail = ? WHERE timestream = ? AND identity = ? AND state <> 1"
_MARK_ALL: Final = "UPDATE receipts SET state = ? WHERE state = ?"
_STATE: Final = "SELECT state FROM receipts WHERE timestream = ? AND identity = ?"
_BEGINNING: Final = "SELECT identity, md5, size, state FROM receipts WHERE timestream = ? AND identity BETWEEN ? AND ?"
_OF_SIZE: Final = "SELECT identity FROM receipts WHERE timestream = ? AND size = ? LIMIT 1"
_ALIKE: Final = "SELECT identity, state FROM receipts WHERE timestream = ? AND size = ? AND md5 = ? LIMIT 2"
_COUNT: Final = "SELECT state, count(*) FROM receipts GROUP BY state"
_NEXT: Final = """
SELECT timestream, identity, md5, size, time, state, detail FROM receipts
WHERE state = ? AND (timestream, identity) > (?, ?) ORDER BY timestream, identity LIMIT ?
"""


class State(IntEnum):
    """What is known of a receipt's e-mail."""

    UNKNOWN = 0
    ARCHIVED = 1
    MISSING = 2
    CHANGED = 3  # an object under one of its names has bytes that are no such e-mail's
    UNREADABLE = 4
    QUEUED = 5
    DEAD_LETTERED = 6


class Mark(NamedTuple):
    """What is known of an e-mail. detail: what a person should know besides."""

    timestream: str
    identity: str
    state: State
    detail: str = ""


class Row(NamedTuple):
    """A receipt, and what is known of its e-mail. detail: what a person should know besides."""

    receipt: Receipt
    state: State
    detail: str


class ReceiptTable:
    """Receipts, each of them once. For any thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = Lock()

    def add(self, receipts: Iterable[Receipt]) -> None:
        """Take receipts in; one that is there already is passed over."""
        rows = (
            (each.timestream, bytes.fromhex(each.identity), bytes.fromhex(each.md5), each.size, each.time.isoformat())
            for each in receipts
        )
        self._change(_INSERT, rows)

    def __contains__(self, email: Email) -> bool:
        return self.state_of(email.timestream, email.identity) is not None

    def state_of(self, timestream: str, identity: str) -> State | None:
        """What is known of an e-mail; None without a receipt of it."""
        found = self._select(_STATE, timestream, bytes.fromhex(identity))
        return State(found[0][0]) if found else None

    def beginning(self, timestream: str, digits: str) -> Sequence[tuple[bytes, bytes, int, State]]:
        """Identity, MD5, size and state of the receipts whose identity begins so; digits: an even number of them."""
        first = bytes.fromhex(digits)
        return self._select(_BEGINNING, timestream, first.ljust(32, b"\0"), first.ljust(32, b"\xff"))

    def alike(self, timestream: str, size: int, md5: str) -> Sequence[tuple[bytes, State]]:
        """Identity and state of the receipts of that timestream, size and MD5; of two, where there are more."""
        return self._select(_ALIKE, timestream, size, bytes.fromhex(md5))

    def has_size(self, timestream: str, size: int) -> bool:
        """Whether any receipt of that timestream has that size."""
        return bool(self._select(_OF_SIZE, timestream, size))

    def mark(self, marks: Iterable[Mark]) -> None:
        """Note what is known. What is archived stays so."""
        self._change(
            _MARK, ((each.state, each.detail, each.timestream, bytes.fromhex(each.identity)) for each in marks)
        )

    def mark_all(self, *, before: State, after: State) -> None:
        """Give all receipts of a state another."""
        self._change(_MARK_ALL, [(after, before)])

    def counts(self) -> dict[State, int]:
        """How many receipts there are of each state."""
        counted = dict(self._select(_COUNT))
        return {state: counted.get(state, 0) for state in State}

    def rows(self, state: State) -> Iterator[Row]:
        """Every receipt of a state, by timestream. Others may be marked meanwhile."""
        last = ("", b"")
        while found := self._select(_NEXT, state, *last, _ROWS_PER_CALL):
            for timestream, identity, md5, size, time, now, detail in found:
                receipt = Receipt(identity.hex(), timestream, md5.hex(), size, datetime.fromisoformat(time))
                yield Row(receipt, State(now), detail)
            last = found[-1][:2]

    def _select(self, statement: str, *values: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def _change(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        with self._lock:
            self._connection.execute("BEGIN")
            self._connection.executemany(statement, rows)
            self._connection.execute("COMMIT")


@contextmanager
def open_table() -> Iterator[ReceiptTable]:
    """An empty table; gone on exit. Raises CommandError, also for a body that finds no room on the temporary volume."""
    try:
        # A queue may search on a thread of its own.
        with closing(sqlite3.connect(_TEMPORARY, isolation_level=None, check_same_thread=False)) as connection:
            for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIBIBYTES}"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(_TABLE)
            yield ReceiptTable(connection)
    except sqlite3.OperationalError as error:
        reason = f"the temporary file of receipts: {error}; TMPDIR says where it is."
        raise CommandError(reason, ExitCode.UNAVAILABLE) from None
