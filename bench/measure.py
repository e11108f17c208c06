"""One run of one row: a new server on a new queue, warmed up, measured under load, and checked for lost messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import queues
from disk import empty_directory
from load import wrk
from processes import cpu_seconds, peak_bytes, tree
from serving import Server, ServerFailedError, running

if TYPE_CHECKING:
    from pathlib import Path

    from processes import Cores
    from rows import Row

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Of all rows: seconds per load and to warm up, per call to SQS, where the queue's file is, who runs where."""

    seconds: float
    warm_up_seconds: float
    latency: float
    directory: Path
    cores: Cores


def measure(row: Row, conditions: Conditions) -> dict[str, float]:
    """The figures of one run, by name. Raises ServerFailedError or LoadFailedError."""
    cores = conditions.cores
    server = Server(row.command, row.environment, cores.all if row.all_cores else cores.server)
    with (
        empty_directory(conditions.directory) as directory,
        queues.opened(row.queue, directory, latency=conditions.latency, cores=cores.load) as queue,
    ):
        with running(server, directory, queue.environment) as (process, url):
            warm = wrk(url, clients=row.clients, seconds=conditions.warm_up_seconds, cores=cores)
            pids = tree(process)
            sends, cpu = queue.sends(), cpu_seconds(pids)
            found = wrk(url, clients=row.clients, seconds=conditions.seconds, cores=cores)
            cpu = cpu_seconds(pids) - cpu
            sends = queue.sends() - sends
            peak = peak_bytes(pids)
        if row.queue and (kept := queue.kept()) < (answered := 1 + warm.kept + found.kept):
            raise ServerFailedError(f"{row.title}: {answered} e-mails were answered 200, {kept} are on the queue.")
    return {
        "requests_per_second": found.kept / found.seconds,
        "refusals_per_second": found.refused / found.seconds,
        "cpu_us": cpu / (found.kept + found.refused) * 1e6,
        "p50_ms": found.p50 * 1000,
        "p99_ms": found.p99 * 1000,
        "peak_mib": peak / MIB,
        "failures": found.failures,
    } | ({"calls_per_message": sends / found.kept} if row.queue == "sqs" else {})
