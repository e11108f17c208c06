"""A run of posts from its options: wires what it needs, and tells what it came to."""

from __future__ import annotations

import random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from command_line.posting.pace import Pace
from command_line.posting.posting import Posting, Tally
from command_line.posting.report import Report
from command_line.receipts.file import ReceiptFile, read_receipts
from command_line.receipts.table import open_table
from command_line.running import CommandError, ExitCode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from command_line.posting.items import Item


@dataclass(frozen=True, kw_only=True, slots=True)
class PostingOptions:
    """What `post` and `replay` are asked for.

    url: of the intake. token: to post with. receipts: the file to append to. resume: whether to skip what is in it.
    rate: requests per second; None for as many as come. give_up_after: seconds.
    """

    url: str
    token: str
    concurrency: int
    rate: float | None
    give_up_after: float
    receipts: Path | None
    resume: bool
    as_json: bool


async def post_all(
    batches: AsyncIterator[Sequence[Item]], options: PostingOptions, share: Callable[[], float | None]
) -> ExitCode:
    """Post all of it. share: as Report has it. Raises CommandError."""
    from command_line.posting.intake import open_intake  # noqa: PLC0415  aiohttp is slow to import

    if options.resume and options.receipts is None:
        raise CommandError("--resume needs --receipts: they tell what was confirmed before.", ExitCode.MISUSED)
    tally = Tally()
    report = Report(tally, as_json=options.as_json, clock=time, share=share)
    async with AsyncExitStack() as opened:
        receipts = opened.enter_context(ReceiptFile(options.receipts)) if options.receipts else None
        known = None
        if options.resume and options.receipts:
            table = opened.enter_context(open_table())
            table.add(read_receipts(options.receipts))
            known = table.__contains__
        intake = await opened.enter_async_context(
            open_intake(options.url, options.token, connections=options.concurrency)
        )
        posting = Posting(
            intake=intake,
            receipts=receipts,
            is_known=known,
            failed=report.failed,
            tally=tally,
            pace=Pace(options.rate, time),
            clock=time,
            random=random,
            concurrency=options.concurrency,
            give_up_after=options.give_up_after,
        )
        try:
            async with report.progress():
                await posting.run(batches)
        finally:  # also where it is interrupted
            report.summary()
    return ExitCode.AS_ASKED if tally.is_complete else ExitCode.NOT_AS_ASKED
