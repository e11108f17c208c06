"""`checkpoint dead-letters redrive` and `drop`: a preview, a confirmation, and batches until none is left."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from command_line.dead_letters.listing import shown_reason
from command_line.dead_letters.looking import Look
from command_line.dead_letters.showing import faults_of
from command_line.output import notes, print_json, results
from command_line.running import ExitCode
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from checkpoint.message_queue.admin import AdminQueue, DeadLetter
    from checkpoint.message_queue.port import EntryFault
    from command_line.dead_letters.selection import Selection

# Together they are one call each, or a few at once on SQS; their bodies are held in memory.
_BATCH: Final = 100
_BATCH_BYTES: Final = 4_194_304
_REASONS_SHOWN: Final = 10
_FAILURES_SHOWN: Final = 20
_UNSEEN: Final = "It is no longer there, or another operator's look hides it."


class Action(NamedTuple):
    """What is done with dead letters: its name, its past participle, what should be known before, and the call."""

    name: str
    done: str
    hint: str
    call: Callable[[AdminQueue, Sequence[DeadLetter]], Awaitable[list[EntryFault | None]]]


REDRIVE: Final = Action(
    "redrive",
    "redriven",
    "Mend the cause first, or they come back. An e-mail that was archived already makes no second object.",
    lambda admin, letters: admin.redrive(letters),
)
DROP: Final = Action(
    "drop",
    "dropped",
    "They are deleted for good. `show ID --output FILE` keeps the content of one.",
    lambda admin, letters: admin.drop(letters),
)


@dataclass(slots=True)
class _Preview:
    """What was selected."""

    ids: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    no_emails: int = 0

    def add(self, letter: DeadLetter) -> None:
        self.ids.add(letter.id)
        self.reasons[letter.reason] += 1
        self.bytes += len(letter.body)
        self.no_emails += bool(faults_of(letter.body))


@dataclass(slots=True)
class _Outcome:
    """What became of those selected."""

    done: int = 0
    failed: dict[str, str] = field(default_factory=dict)


async def move_dead_letters(
    admin: AdminQueue,
    action: Action,
    selection: Selection,
    *,
    confirm: Callable[[str], bool],
    dry_run: bool,
    as_json: bool,
) -> ExitCode:
    """Do it with those selected, once `confirm` agrees to the question that it is given.

    They are looked at twice, so that neither all their bodies are held in memory nor any is hidden while somebody
    thinks; and what is dead-lettered meanwhile is left alone. What a run that was ended left is the next run's.
    """
    preview = await _preview(admin, selection)
    unknown = sorted(selection.ids - preview.ids)
    if not as_json or not dry_run:
        _print_preview(preview, action)
    for id_ in unknown:
        notes().print(Text(f"There is no dead letter {harmless(id_)}."))
    code = ExitCode.NOT_AS_ASKED if unknown else ExitCode.AS_ASKED
    if dry_run:
        if as_json:
            print_json({"selected": len(preview.ids), "bytes": preview.bytes, "reasons": dict(preview.reasons)})
        return code
    outcome = _Outcome()
    if preview.ids:
        if not confirm(f"{action.name.capitalize()} {_counted(len(preview.ids))}?"):
            notes().print(f"None was {action.done}.")
            return ExitCode.NOT_AS_ASKED
        try:
            await _move(admin, action, preview.ids, outcome, has_progress=not as_json)
        finally:
            _print_outcome(outcome, action, as_json=as_json)
    elif as_json:
        _print_outcome(outcome, action, as_json=True)
    return ExitCode.NOT_AS_ASKED if outcome.failed else code


async def _preview(admin: AdminQueue, selection: Selection) -> _Preview:
    preview = _Preview()
    async with Look(admin) as look:
        async for letter in look.dead_letters():
            if selection.has(letter):
                preview.add(letter)
                if preview.ids == selection.ids:
                    break
    return preview


async def _move(admin: AdminQueue, action: Action, ids: set[str], outcome: _Outcome, *, has_progress: bool) -> None:
    console = notes()
    columns = TextColumn(action.done), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    left = set(ids)
    async with Look(admin) as look:
        with Progress(
            *columns,
            console=console,
            disable=not (has_progress and console.is_terminal),
            redirect_stdout=False,
            redirect_stderr=False,
        ) as progress:
            task = progress.add_task("", total=len(ids))

            async def flush(batch: list[DeadLetter]) -> None:
                for letter, fault in zip(batch, await action.call(admin, batch), strict=True):
                    if fault is None:
                        outcome.done += 1
                        look.forget(letter.id)
                    else:
                        outcome.failed[letter.id] = fault.reason
                progress.advance(task, len(batch))

            batch: list[DeadLetter] = []
            async for letter in look.dead_letters():
                if letter.id not in left:
                    continue
                left.remove(letter.id)
                batch.append(letter)
                is_full = len(batch) == _BATCH or sum(len(each.body) for each in batch) >= _BATCH_BYTES
                if is_full or not left:
                    await flush(batch)
                    batch = []
                if not left:
                    break
            if batch:
                await flush(batch)
    outcome.failed |= dict.fromkeys(sorted(left), _UNSEEN)


def _print_preview(preview: _Preview, action: Action) -> None:
    console = notes()
    if not preview.ids:
        console.print("No dead letters match.")
        return
    console.print(f"{_counted(len(preview.ids))}, {decimal(preview.bytes)}:")
    for reason, count in preview.reasons.most_common(_REASONS_SHOWN):
        console.print(Text(f"{count:>9,}  {shown_reason(reason)}"), soft_wrap=True)
    if len(preview.reasons) > _REASONS_SHOWN:
        console.print(f"           and {len(preview.reasons) - _REASONS_SHOWN} other reasons")
    if preview.no_emails and action is REDRIVE:
        console.print(f"No e-mails, so the broker will dead-letter them again: {preview.no_emails:,}.")
    console.print(action.hint, soft_wrap=True)


def _counted(count: int) -> str:
    return "1 dead letter" if count == 1 else f"{count:,} dead letters"


def _print_outcome(outcome: _Outcome, action: Action, *, as_json: bool) -> None:
    if as_json:
        failed = [{"id": id_, "reason": reason} for id_, reason in outcome.failed.items()]
        print_json({action.done: outcome.done, "failed": failed})
        return
    console = results()
    console.print(f"{outcome.done:,} {action.done}, {len(outcome.failed):,} failed.")
    for id_, reason in list(outcome.failed.items())[:_FAILURES_SHOWN]:
        console.print(Text(f"  {harmless(id_)}: {harmless(reason)}"), soft_wrap=True)
    if len(outcome.failed) > _FAILURES_SHOWN:
        console.print(f"  and {len(outcome.failed) - _FAILURES_SHOWN} more")
