"""What a run of posts tells: each e-mail that was not confirmed, how far it is, and what it came to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from command_line.output import notes, print_json, results

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from checkpoint.clock import Clock
    from command_line.posting.posting import Failure, Tally

_PRINTED_FAILURES: Final = 100
_LOOK_SECONDS: Final = 0.2


class Report:
    """Prints for a reader, or as JSON.

    share: how much of the input was read, 0 to 1; None where its length is not known.
    """

    def __init__(self, tally: Tally, *, as_json: bool, clock: Clock, share: Callable[[], float | None]) -> None:
        self._tally = tally
        self._as_json = as_json
        self._clock = clock
        self._share = share
        self._began = clock.monotonic()
        self._printed = 0
        self._results = results()
        self._notes = notes()

    def failed(self, failure: Failure) -> None:
        """Print an e-mail that was not confirmed; for a reader the first hundred of them."""
        outcome = "refused" if failure.is_final else "not_confirmed"
        if self._as_json:
            print_json({"place": failure.place, "outcome": outcome, "reason": failure.reason})
            return
        self._printed += 1
        if self._printed <= _PRINTED_FAILURES:
            self._print(f"{failure.place}: {outcome.replace('_', ' ')}: {failure.reason}")
        elif self._printed == _PRINTED_FAILURES + 1:
            self._print("More were not confirmed; --json prints all of them.")

    @asynccontextmanager
    async def progress(self) -> AsyncIterator[None]:
        """Show how far it is while the body runs, on a terminal."""
        if self._as_json or not self._notes.is_terminal:
            yield
            return
        columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        text = TextColumn("{task.description}", markup=False)
        with Progress(text, *columns, console=self._notes, redirect_stdout=False, redirect_stderr=False) as bar:
            if self._results.is_terminal:  # the same one: above the bar, then, and not within it
                self._results = self._notes
            showing = asyncio.create_task(self._show(bar))
            try:
                yield
            finally:
                showing.cancel()
                await asyncio.wait([showing])

    def summary(self) -> None:
        """Print what it came to."""
        tally, seconds = self._tally, self._clock.monotonic() - self._began
        per_second = tally.confirmed / seconds if seconds > 0 else 0.0
        if self._as_json:
            print_json(
                {
                    "confirmed": tally.confirmed,
                    "skipped": tally.skipped,
                    "refused": tally.refused,
                    "not_confirmed": tally.not_confirmed,
                    "retries": tally.retries,
                    "seconds": round(seconds, 3),
                    "per_second": round(per_second, 1),
                }
            )
            return
        self._print(f"{_counts(tally)} in {seconds:.1f} s, {per_second:,.0f} per second")

    async def _show(self, bar: Progress) -> None:
        task = bar.add_task("posting", total=None)
        while True:
            share = self._share()
            bar.update(
                task,
                description=_counts(self._tally),
                total=None if share is None else 1.0,
                completed=share or 0.0,
            )
            await asyncio.sleep(_LOOK_SECONDS)

    def _print(self, text: str) -> None:
        self._results.print(text, markup=False, soft_wrap=True)


def _counts(tally: Tally) -> str:
    """What there is of each outcome, without those that there are none of."""
    told = [f"{tally.confirmed:,} confirmed"]
    for count, word in (
        (tally.skipped, "confirmed before"),
        (tally.refused, "refused"),
        (tally.not_confirmed, "not confirmed"),
        (tally.retries, "retry" if tally.retries == 1 else "retries"),
    ):
        told += [f"{count:,} {word}"] if count else []
    return ", ".join(told)
