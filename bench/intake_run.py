"""One run of one row: a new server on a new queue, warmed up, measured under load, and checked for lost messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import queues
from disk import empty_directory
from load import EMAIL, TOKEN, pace, saturate, spin
from processes import cpu, peak_bytes, tree
from rows import CLIENTS
from serving import Server, ServerFailedError, running

if TYPE_CHECKING:
    from pathlib import Path

    from load import Load
    from processes import Cores, Cpu
    from rows import Row

MIB: Final = 1024 * 1024
_WARM_UP_SECONDS: Final = 1
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Of all rows: seconds under each load, seconds per call to AWS, where the queue's file is, who runs where."""

    seconds: int
    latency: float
    directory: Path
    cores: Cores


def run(row: Row, conditions: Conditions) -> dict[str, float]:
    """The figures of one run, by name. Raises ServerFailedError or LoadFailedError."""
    cores = conditions.cores
    server = Server(row.command, row.environment, cores.all if row.all_cores else cores.server)
    with (
        empty_directory(conditions.directory) as directory,
        queues.opened(row.queue, directory, latency=conditions.latency, cores=cores.load) as queue,
    ):
        with running(server, directory, queue.environment) as (process, url):
            loads = [
                saturate(url, EMAIL, clients=min(CLIENTS, row.clients), seconds=_WARM_UP_SECONDS, cores=cores.load)
            ]
            processes = tree(process)
            sends, before, stubs = queue.sends(), cpu(processes), cpu(queue.stubs)
            loads.append(_load(row, url, conditions))
            figures = _at_saturation(
                loads[-1],
                sends=queue.sends() - sends,
                taken=cpu(processes).since(before),
                stubs=cpu(queue.stubs).since(stubs),
            )
            if row.half_load:
                rate = figures["kept_per_second"] * _HALF
                loads.append(pace(url, clients=row.clients, seconds=conditions.seconds, rate=rate, cores=cores.load))
                figures |= _at_half_load(loads[-1], rate)
            figures["peak_mib"] = peak_bytes(processes) / MIB
        answered = 1 + sum(each.kept for each in loads)
        if row.queue and (kept := queue.kept()) < answered:
            raise ServerFailedError(f"{row.title}: {answered} e-mails were answered 200, {kept} are on the queue.")
    return figures


def _load(row: Row, url: str, conditions: Conditions) -> Load:
    seconds, load = conditions.seconds * row.lasts, conditions.cores.load
    if row.spins:
        return spin(url, clients=row.clients, seconds=seconds, cores=load)
    return saturate(url, EMAIL.replace(TOKEN, row.token), clients=row.clients, seconds=seconds, cores=load)


def _at_saturation(load: Load, *, sends: int, taken: Cpu, stubs: Cpu) -> dict[str, float]:
    """sends, taken, stubs: the calls to the queue, and what the server and the stubs took meanwhile."""
    microseconds = 1e6 / (load.kept + load.refused)
    return {
        "answers_per_second": (load.kept + load.refused) / load.seconds,
        "kept_per_second": load.kept / load.seconds,
        "refused_per_second": load.refused / load.seconds,
        "failures": load.failures,
        "cpu_us": taken.all * microseconds,
        "cpu_system_us": taken.system * microseconds,
        "cpu_other_threads_us": taken.other_threads * microseconds,
        "p50_ms": load.p50,
        "p99_ms": load.p99,
        "refused_p99_ms": load.refused_p99,
        "sends_per_message": sends / load.kept if load.kept else 0,
        "load_cores": load.cores + stubs.all / load.seconds,
    }


def _at_half_load(load: Load, rate: float) -> dict[str, float]:
    return {
        "half_asked_per_second": rate,
        "half_kept_per_second": load.kept / load.seconds,
        "half_p50_ms": load.p50,
        "half_p99_ms": load.p99,
        "half_late_p99_ms": load.late_p99,
        "half_failures": load.failures + load.refused,
    }
