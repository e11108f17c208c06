"""`checkpoint dead-letters list`: what there is, never its contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.filesize import decimal
from rich.text import Text

from command_line.dead_letters.looking import Look
from command_line.dead_letters.selection import moment_of
from command_line.moments import shown, written
from command_line.output import notes, print_json, results
from command_line.running import ExitCode
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from checkpoint.message_queue.admin import AdminQueue, DeadLetter
    from command_line.dead_letters.selection import Selection

# Columns are as wide as their widest cell, so a table is printed when all is known; and nobody reads more.
_TABLE_ROWS: Final = 100


class _Row(NamedTuple):
    id: str
    when: str
    size: str
    receives: str
    reason: str


_HEAD: Final = _Row("ID", "WHEN", "SIZE", "RECEIVES", "REASON")


async def list_dead_letters(admin: AdminQueue, selection: Selection, *, limit: int | None, as_json: bool) -> ExitCode:
    """Print those selected, `limit` at most. Without a limit: all as JSON, a hundred as a table."""
    most = limit if limit is not None or as_json else _TABLE_ROWS
    rows = [_HEAD]
    count = 0
    is_cut_off = False
    async with Look(admin) as look:
        async for letter in look.dead_letters():
            if not selection.has(letter):
                continue
            if count == most:
                is_cut_off = True
                break
            count += 1
            if as_json:
                print_json(described(letter))
            else:
                rows.append(_row(letter))
    if count and not as_json:
        _print(rows)
    if not count:
        notes().print("There are no dead letters." if selection.is_everything else "No dead letters match.")
    if is_cut_off and limit is None:
        notes().print(f"These are {count}, and there are more: see --limit.")
    return ExitCode.AS_ASKED


def described(letter: DeadLetter) -> dict[str, object]:
    """For scripts: all but the body."""
    return {
        "id": letter.id,
        "dead_at": written(letter.dead_at),
        "sent_at": written(letter.sent_at),
        "bytes": len(letter.body),
        "receive_count": letter.receive_count,
        "reason": letter.reason,
    }


def shown_reason(reason: str) -> str:
    """Empty is a reason too: SQS moves a message without a word."""
    return harmless(reason) or "none given: it was received too often, and the queue itself moved it"


def _row(letter: DeadLetter) -> _Row:
    return _Row(
        harmless(letter.id),
        shown(moment_of(letter)),
        decimal(len(letter.body)),
        "unknown" if letter.receive_count is None else str(letter.receive_count),
        shown_reason(letter.reason),
    )


def _print(rows: list[_Row]) -> None:
    """One line each, whatever the terminal's width: a reason may be long, and a line is what grep finds."""
    id_width, when_width, size_width, receives_width, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    console = results()
    for id_, when, size, receives, reason in rows:
        line = f"{id_:<{id_width}}  {when:<{when_width}}  {size:>{size_width}}  {receives:>{receives_width}}  {reason}"
        console.print(Text(line), soft_wrap=True)
