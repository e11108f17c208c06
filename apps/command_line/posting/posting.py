"""Posts many e-mails, each until it is confirmed, refused for good, or given up."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from checkpoint.email import Email, NotAnEmailError
from checkpoint.json_text import on_one_line
from command_line.posting.answer import NoAnswerError
from command_line.posting.pace import delay
from command_line.receipts.receipt import Receipt
from command_line.running import CommandError, ExitCode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from checkpoint.clock import Clock, Random
    from command_line.posting.answer import Answer, Intake
    from command_line.posting.items import Item
    from command_line.posting.pace import Pace
    from command_line.receipts.file import ReceiptFile

# The intake's, and those of a load balancer before it. The e-mail is kept once, however often it is sent.
_TRIED_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504})
# No other e-mail would fare better: what answers is no intake.
_NO_INTAKE: Final = frozenset({*range(201, 400), 404, 405})
_SYNC_SECONDS: Final = 1.0


class Failure(NamedTuple):
    """An e-mail that was not confirmed.

    place: where it comes from. is_final: whether to post it again would change nothing. reason: without its contents.
    """

    place: str
    is_final: bool
    reason: str


@dataclass(slots=True)
class Tally:
    """How many e-mails there are of each outcome so far, and requests that were tried again."""

    confirmed: int = 0
    skipped: int = 0
    refused: int = 0
    not_confirmed: int = 0
    retries: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether every e-mail was confirmed, by this run or an earlier one."""
        return not self.refused and not self.not_confirmed


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """A run.

    receipts: where to note what is confirmed; None for nowhere. is_known: whether an e-mail was confirmed before.
    failed: told of each e-mail that was not confirmed.
    concurrency: requests at once. give_up_after: seconds for which a request is tried again.
    """

    intake: Intake
    receipts: ReceiptFile | None
    is_known: Callable[[Email], bool] | None
    failed: Callable[[Failure], None]
    tally: Tally
    pace: Pace
    clock: Clock
    random: Random
    concurrency: int
    give_up_after: float

    async def run(self, batches: AsyncIterator[Sequence[Item]]) -> None:
        """Return when all of it is posted.

        Raises CommandError where none of the rest would be confirmed either: a wrong token, no intake, an intake that
        has confirmed nothing for as long as a request is tried again; and where a receipt cannot be written. Raises,
        too, what reading the batches raises.
        """
        source = _Source(batches)
        ended: list[Exception] = []
        try:
            async with asyncio.TaskGroup() as beside:
                syncing = beside.create_task(self._sync_periodically())
                async with asyncio.TaskGroup() as workers:
                    last = _Progress(self.clock.monotonic())
                    for _ in range(self.concurrency):
                        workers.create_task(self._work(source, last))
                syncing.cancel()
        except* Exception as group:  # noqa: BLE001  raised again, without its group
            ended = _flat(group)
        if ended:
            raise ended[0]

    async def _work(self, source: _Source, last: _Progress) -> None:
        while item := await source.next():
            if item.fault:
                self._fail(item, item.fault, is_final=True)
            elif self.is_known and (email := _read(item)) and self.is_known(email):
                self.tally.skipped += 1
            else:
                await self._post(item, last)

    async def _post(self, item: Item, last: _Progress) -> None:
        began = self.clock.monotonic()
        failures = 0
        while True:
            await self.pace.wait()
            try:
                answer = await self.intake.post(item.text)
            except NoAnswerError as error:
                reason, asked = str(error), 0.0
            else:
                if answer.status not in _TRIED_AGAIN:
                    self._settle(item, answer)
                    last.seconds = self.clock.monotonic()
                    return
                reason, asked = answer.reason, answer.retry_after
            failures += 1
            wait = delay(failures, asked, self.random)
            if self.clock.monotonic() + wait > began + self.give_up_after:
                self._fail(item, reason, is_final=False)
                if last.seconds <= began:
                    raise CommandError(
                        f"the intake has confirmed nothing for {self.give_up_after:g} s: {reason}", ExitCode.UNAVAILABLE
                    )
                return
            self.tally.retries += 1
            await asyncio.sleep(wait)

    def _settle(self, item: Item, answer: Answer) -> None:
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise CommandError("TOKEN: the intake does not take it (401).", ExitCode.MISUSED)
        if answer.status in _NO_INTAKE:
            raise CommandError(f"this is no intake: it answers {answer.reason}.", ExitCode.MISUSED)
        if answer.status != HTTPStatus.OK:
            self._fail(item, answer.reason, is_final=True)
            return
        email = _read(item)
        if email is None or email.identity != answer.identity:
            self._fail(item, "The answer is 200, and its X-Message-Id is not that of this e-mail.", is_final=True)
            return
        if self.receipts:
            self.receipts.add(Receipt.of(email, self.clock.time()))
        self.tally.confirmed += 1

    def _fail(self, item: Item, reason: str, *, is_final: bool) -> None:
        if is_final:
            self.tally.refused += 1
        else:
            self.tally.not_confirmed += 1
        self.failed(Failure(item.place, is_final, reason))

    async def _sync_periodically(self) -> None:
        while self.receipts:
            await asyncio.sleep(_SYNC_SECONDS)
            await asyncio.to_thread(self.receipts.sync)


@dataclass(slots=True)
class _Progress:
    """When the intake last answered something that is no reason to try again."""

    seconds: float


class _Source:
    """Gives each worker the next item, and reads on when there is none."""

    def __init__(self, batches: AsyncIterator[Sequence[Item]]) -> None:
        self._batches = batches
        self._items: deque[Item] = deque()
        self._reading = asyncio.Lock()

    async def next(self) -> Item | None:
        """None at the end."""
        while not self._items:
            async with self._reading:
                if not self._items:
                    try:
                        self._items.extend(await anext(self._batches))
                    except StopAsyncIteration:
                        return None
        return self._items.popleft()


def _read(item: Item) -> Email | None:
    """The e-mail as it is archived; None where it is none, as far as can be told here."""
    try:
        return Email.read(on_one_line(item.text))
    except NotAnEmailError:
        return None


def _flat(group: ExceptionGroup) -> list[Exception]:
    found = []
    for error in group.exceptions:
        found += _flat(error) if isinstance(error, ExceptionGroup) else [error]
    return found
