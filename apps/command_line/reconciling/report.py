"""What a reconciliation tells: every finding, and what it came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from checkpoint.email import object_names
from command_line.output import notes, print_json, results
from command_line.receipts.table import State
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from checkpoint.archive.port import StoredObject
    from command_line.receipts.table import ReceiptTable, Row
    from command_line.reconciling.matching import Matching
    from command_line.reconciling.queued import QueueTold

WORDS: Final = {
    State.MISSING: "missing",
    State.CHANGED: "changed",
    State.UNREADABLE: "unreadable",
    State.DEAD_LETTERED: "dead_lettered",
    State.QUEUED: "under_way",
}


class Report:
    """Prints for a reader, or as JSON."""

    def __init__(self, *, as_json: bool, prints_extra: bool) -> None:
        self._as_json = as_json
        self._prints_extra = prints_extra
        self._results = results()
        self._notes = notes()

    def extra(self, stored: StoredObject) -> None:
        """Print an object without a receipt, where that is asked for."""
        if not self._prints_extra:
            return
        if self._as_json:
            print_json({"finding": "extra", "name": harmless(stored.name), "size": stored.size})
        else:
            self._print(f"extra: {harmless(stored.name)}, {stored.size:,} bytes")

    def findings(self, table: ReceiptTable) -> None:
        """Print every receipt whose e-mail is not archived as it should be."""
        for state in WORDS:
            for row in table.rows(state):
                self._finding(row)

    def summary(self, table: ReceiptTable, matching: Matching, told: QueueTold) -> None:
        """Print what it came to."""
        counts = table.counts()
        numbers = {
            "receipts": sum(counts.values()),
            "archived": counts[State.ARCHIVED],
            **{word: counts[state] for state, word in WORDS.items()},
            "objects": matching.objects,
            "extra": matching.extras,
        }
        if self._as_json:
            print_json({**numbers, "on_queue": told.on_queue, "queue_fault": told.fault or None})
            return
        self._print(", ".join(f"{number:,} {_readable(word)}" for word, number in numbers.items()))
        if counts[State.MISSING] and told.fault:
            self._note(f"The queue could not be asked, so the missing may be on their way: {told.fault}")
        elif counts[State.MISSING] and told.on_queue and not told.is_searchable:
            self._note(f"About {told.on_queue:,} on the queue, so some of the missing may be on their way: --wait.")

    def _finding(self, row: Row) -> None:
        receipt = row.receipt
        names = list(object_names(receipt.timestream, receipt.identity))
        confirmed_at = receipt.time.isoformat()
        if self._as_json:
            found: dict[str, Any] = {
                "finding": WORDS[row.state],
                "identity": receipt.identity,
                "timestream": receipt.timestream,
                "names": names,
                "size": receipt.size,
                "md5": receipt.md5,
                "confirmed_at": confirmed_at,
                "detail": harmless(row.detail),
            }
            print_json(found)
            return
        detail = f" ({harmless(row.detail)})" if row.detail else ""
        word = _readable(WORDS[row.state])
        self._print(f"{word}: {names[0]} or {names[1]}, confirmed {confirmed_at}, identity {receipt.identity}{detail}")

    def _print(self, text: str) -> None:
        self._results.print(text, markup=False, soft_wrap=True)

    def _note(self, text: str) -> None:
        self._notes.print(text, markup=False, soft_wrap=True)


def _readable(word: str) -> str:
    return {"dead_lettered": "dead-lettered"}.get(word, word.replace("_", " "))
