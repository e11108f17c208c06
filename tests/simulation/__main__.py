"""`make simulate`: many histories from many seeds, or one seed again with everything that happens in it.

Exit code 1 where a history broke a promise; its seed is printed, with the fewest faults that do it.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from simulation import product_log
from simulation.drawing import draw
from simulation.history import run
from simulation.loop import silenced
from simulation.report import Report
from simulation.shrink import only, shrink

_HISTORIES_PER_PIECE = 10


def main() -> int:
    arguments = _arguments()
    if arguments.seed is not None:
        return _replay(arguments.seed, arguments.only)
    began = time.monotonic()
    report = Report()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    pieces = [seeds[start : start + _HISTORIES_PER_PIECE] for start in range(0, len(seeds), _HISTORIES_PER_PIECE)]
    with ProcessPoolExecutor(arguments.processes, initializer=_start) as pool:
        try:
            for piece in pool.map(_live_through, pieces):
                report.merge(piece)
                for seed, broken in piece.failed.items():
                    print(f"SEED={seed}", *broken, sep="\n  ", flush=True)
                _show_progress(report, len(seeds))
                if (report.failed and not arguments.keep_going) or time.monotonic() - began > arguments.seconds:
                    break
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    report.seconds = time.monotonic() - began
    print(report.as_text())
    if arguments.json:
        arguments.json.write_text(json.dumps(report.as_json(), indent=2) + "\n", encoding="utf-8")
    if report.failed:
        _start()
        _show_fewest_faults(min(report.failed))
    return 1 if report.failed else 0


def _live_through(seeds: range) -> Report:
    report = Report()
    for seed in seeds:
        report.add(run(draw(seed)))
    with silenced():
        gc.collect()
    return report


def _start() -> None:
    """Before the histories of a process: what lives now lives on, and garbage is collected only between histories."""
    product_log.configure(is_replay=False)
    gc.collect()
    gc.freeze()
    gc.disable()


def _replay(seed: int, places: list[int] | None) -> int:
    product_log.configure(is_replay=True)
    gc.disable()
    plan = draw(seed)
    print(f"seed {seed}: {plan.intakes} intakes, {plan.brokers} brokers, {len(plan.mails)} e-mails, {plan.slots} slots")
    if places is not None:
        plan = only(plan, places)
    for fault in plan.faults:
        print(f"  {fault}")
    verdict = run(plan, print)
    with silenced():
        gc.collect()
    return 1 if verdict.violations else 0


def _show_fewest_faults(seed: int) -> None:
    plan = draw(seed)
    places = shrink(plan)
    with silenced():
        gc.collect()
    print(f"\nSEED={seed} fails with {len(places)} of its {len(plan.faults)} faults:")
    for place in places:
        print(f"  {plan.faults[place]}")
    fewest = f" ONLY={','.join(map(str, places))}" if places != list(range(len(plan.faults))) else ""
    print(f"All that happens in it: make simulate SEED={seed}{fewest}")


def _show_progress(report: Report, histories: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{report.histories:,} of {histories:,}", end="", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000, help="how many histories (%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--seed", type=int, help="this one alone, with all that happens in it")
    parser.add_argument("--only", type=_places, help="with --seed: these of its faults alone, such as 0,3")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="at once (%(default)s)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="no new histories after so long")
    parser.add_argument("--keep-going", action="store_true", help="go on after a counter-example")
    parser.add_argument("--json", type=Path, help="write the report there, too")
    return parser.parse_args()


def _places(text: str) -> list[int]:
    return [int(place) for place in text.split(",") if place]


if __name__ == "__main__":
    sys.exit(main())
