"""Which of the missing e-mails are on the queue, or in the dead-letter queue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from checkpoint.email import Email, NotAnEmailError
from checkpoint.message_queue.port import NoDeadLetterQueueError, QueueUnavailableError
from command_line.receipts.table import Mark, State
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.message_queue.admin import AdminQueue, DeadLetter
    from command_line.receipts.table import ReceiptTable

_MARKS_PER_CALL: Final = 1_000


class QueueTold(NamedTuple):
    """What a queue said.

    is_searchable: whether it said which messages are on it. on_queue: how many are, in flight included; None where it
    could not be asked. fault: why; empty where it could.
    """

    is_searchable: bool = False
    on_queue: int | None = None
    fault: str = ""


async def ask_queue(queue: AdminQueue, table: ReceiptTable) -> QueueTold:
    """Mark the receipts whose e-mails are on the queue or dead-lettered. A queue that is out of reach tells nothing."""
    try:
        if queue.is_searchable:
            await _mark_queued(queue, table)
        depth = await queue.depth()
        if depth.dead_letters:  # after the queue, for messages go that way
            await _mark_dead(queue, table)
    except QueueUnavailableError as error:
        return QueueTold(fault=harmless(str(error)))
    return QueueTold(queue.is_searchable, depth.waiting + depth.in_flight)


async def _mark_queued(queue: AdminQueue, table: ReceiptTable) -> None:
    marks: list[Mark] = []
    async for message in queue.find(_has_receipt(table)):
        marks += _marks(message.body, State.QUEUED)
        if len(marks) >= _MARKS_PER_CALL:
            table.mark(marks)
            marks = []
    table.mark(marks)


async def _mark_dead(queue: AdminQueue, table: ReceiptTable) -> None:
    shown: list[DeadLetter] = []
    try:
        async for letter in queue.dead_letters():
            table.mark(_marks(letter.body, State.DEAD_LETTERED, harmless(letter.reason)))
            shown.append(replace(letter, body=b""))  # it is hidden from others, maybe: not longer than need be
    except NoDeadLetterQueueError:
        return
    finally:
        if shown:
            await queue.release(shown)


def _has_receipt(table: ReceiptTable) -> Callable[[bytes], bool]:
    def matches(body: bytes) -> bool:
        try:
            email = Email.read(body)
        except NotAnEmailError:
            return False
        return table.state_of(email.timestream, email.identity) not in {None, State.ARCHIVED}

    return matches


def _marks(body: bytes, state: State, detail: str = "") -> list[Mark]:
    try:
        email = Email.read(body)
    except NotAnEmailError:
        return []
    return [Mark(email.timestream, email.identity, state, detail)]
