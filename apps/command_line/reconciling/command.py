"""The command `reconcile`."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path  # noqa: TC003  typer looks at annotations
from typing import TYPE_CHECKING, Annotated

import typer

from checkpoint.settings import SettingsError
from command_line.opening import open_archive, open_queue
from command_line.output import Json  # noqa: TC001  typer looks at annotations
from command_line.receipts.file import read_receipts
from command_line.receipts.table import ReceiptTable, State, open_table
from command_line.reconciling.matching import Matching
from command_line.reconciling.queued import QueueTold, ask_queue
from command_line.reconciling.reconciling import Reconciling
from command_line.reconciling.report import Report
from command_line.running import ExitCode, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from checkpoint.archive.port import ListedStore
    from command_line.settings import CommandLineSettings


def reconcile(
    receipts: Annotated[list[Path], typer.Argument(metavar="RECEIPTS", help="Files that post or replay wrote.")],
    *,
    extra: Annotated[bool, typer.Option("--extra", help="Print each object without a receipt, too.")] = False,
    wait: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Wait for what is under way.")] = 0,
    as_json: Json = False,
) -> None:
    """Compare receipts with the archive: what is missing, changed, under way or dead-lettered.

    By names, sizes and MD5s that a listing tells, and by bodies where those do not tell. Exit code 0 only where every
    receipt has its object with exactly its bytes.
    """

    async def command(settings: CommandLineSettings) -> ExitCode:
        async with AsyncExitStack() as opened:
            table = opened.enter_context(open_table())
            for path in receipts:
                table.add(read_receipts(path))
            store = await opened.enter_async_context(open_archive(settings))
            report = Report(as_json=as_json, prints_extra=extra)
            return await reconcile_all(table, store, partial(_ask, settings, table), report, wait_seconds=wait)

    run(command)


async def reconcile_all(
    table: ReceiptTable,
    store: ListedStore,
    ask: Callable[[], Awaitable[QueueTold]],
    report: Report,
    *,
    wait_seconds: float = 0,
) -> ExitCode:
    """Compare, and print what was found. ask, wait_seconds: as Reconciling has them."""
    matching = Matching(table, store, report.extra)
    reconciling = Reconciling(
        table=table, store=store, matching=matching, ask=ask, clock=time, wait_seconds=wait_seconds
    )
    told = await reconciling.run()
    report.findings(table)
    report.summary(table, matching, told)
    counts = table.counts()
    return ExitCode.AS_ASKED if counts[State.ARCHIVED] == sum(counts.values()) else ExitCode.NOT_AS_ASKED


async def _ask(settings: CommandLineSettings, table: ReceiptTable) -> QueueTold:
    try:
        async with open_queue(settings) as queue:
            return await ask_queue(queue, table)
    except SettingsError as error:  # of a URL, or of an adapter that has nothing for operators
        return QueueTold(fault=str(error))
