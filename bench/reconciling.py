"""Measure `checkpoint reconcile`: what so many receipts cost against a listing of as many objects that costs nothing.

The listing is made up, in the order of names as S3 gives it, so what is measured is this program alone.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import resource
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from checkpoint.archive.port import StoredObject
from checkpoint.email import object_names
from command_line.receipts.receipt import Receipt
from command_line.receipts.table import open_table
from command_line.reconciling.command import reconcile_all
from command_line.reconciling.report import Report

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from command_line.receipts.table import ReceiptTable
    from command_line.reconciling.queued import QueueTold

_FIRST: Final = 1_706_213_694
_PER_SECOND: Final = 3
_PAGE: Final = 1_000
_NOW: Final = datetime(2027, 1, 15, tzinfo=UTC)


def main() -> None:
    """Run once, and print a table."""
    parser = argparse.ArgumentParser(description="Measure what receipts cost.")
    parser.add_argument("--receipts", type=int, default=1_000_000)
    count = parser.parse_args().receipts
    rows = []
    with open_table() as table:
        rows.append(("read the receipts", *_measure(lambda: table.add(_receipts(count)))))
        rows.append(("compare and print", *_measure(lambda: asyncio.run(_reconcile(table, count)))))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"\n{count} receipts, as many objects\n\n{'':>18}{'seconds':>9}{'CPU s':>8}\n")
    for what, seconds, cpu in rows:
        sys.stdout.write(f"{what:>18}{seconds:>9.1f}{cpu:>8.1f}\n")
    sys.stdout.write(f"\npeak memory {peak:.0f} MiB\n")


class Listing:
    """A ListedStore that makes its objects up."""

    def __init__(self, count: int) -> None:
        self._count = count

    async def objects(self, prefix: str = "") -> AsyncIterator[Sequence[StoredObject]]:  # noqa: ARG002  all have it
        """As the port says."""
        for first in range(0, self._count, _PAGE):
            yield [self._stored(number) for number in range(first, min(first + _PAGE, self._count))]

    async def read(self, name: str) -> bytes | None:
        """As the port says; nothing need be read."""
        raise NotImplementedError

    def _stored(self, number: int) -> StoredObject:
        receipt = _receipt(number)
        plain, longer, _ = object_names(receipt.timestream, receipt.identity)
        return StoredObject(longer if number % _PER_SECOND else plain, receipt.size, receipt.md5)


def _receipts(count: int) -> Iterator[Receipt]:
    return (_receipt(number) for number in range(count))


def _receipt(number: int) -> Receipt:
    body = b"%d" % number
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    return Receipt(hashlib.sha256(body).hexdigest(), str(_FIRST + number // _PER_SECOND), md5, 131, _NOW)


async def _reconcile(table: ReceiptTable, count: int) -> None:
    async def ask() -> QueueTold:
        raise NotImplementedError  # nothing is missing

    await reconcile_all(table, Listing(count), ask, Report(as_json=False, prints_extra=False))


def _measure(run: Callable[[], object]) -> tuple[float, float]:
    began, cpu = time.monotonic(), time.process_time()
    run()
    return time.monotonic() - began, time.process_time() - cpu


if __name__ == "__main__":
    main()
