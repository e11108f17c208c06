"""The results of the intake's bench as Markdown.

Run: `python bench/report.py RESULTS.json` prints it; `--into FILE` puts it into a document, between the lines
`<!-- bench -->` and `<!-- /bench -->`; `--headline-into FILE` puts what matters most between `<!-- bench headline -->`
and `<!-- /bench headline -->`.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from operator import truediv
from pathlib import Path
from typing import TYPE_CHECKING, Final

import results
from documents import into, table
from rows import CLIENTS, OTHER
from targets import CROWDS, highest, targets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from results import Measured, Results

    Column = tuple[str, Callable[[Measured], str]]  # a title, and what stands below it

_REACHED: Final = 0.95  # of a rate, that which counts as reached


def _figure(name: str, form: str, row: Measured) -> str:
    value = row.figure(name)
    shown = value is not None and (value or name not in {"sends_per_message", "refused_p99_ms"})
    return format(value, form) if shown else ""


def _columns(*columns: tuple[str, str, str]) -> list[Column]:
    """Each from a title, a figure's name and a form."""
    return [(title, partial(_figure, name, form)) for title, name, form in columns]


SERVERS: Final = _columns(
    ("kept per second", "kept_per_second", ",.0f"),
    ("CPU µs per request", "cpu_us", ",.0f"),
    ("p50 ms", "p50_ms", ",.1f"),
    ("p99 ms", "p99_ms", ",.1f"),
    ("half load: kept per second", "half_kept_per_second", ",.0f"),
    ("p50 ms", "half_p50_ms", ",.1f"),
    ("p99 ms", "half_p99_ms", ",.1f"),
    ("peak MiB", "peak_mib", ",.0f"),
    ("sends per message", "sends_per_message", ".3f"),
    ("load's cores", "load_cores", ".2f"),
)
CROWD: Final = _columns(
    ("kept per second", "kept_per_second", ",.0f"),
    ("refused per second", "refused_per_second", ",.0f"),
    ("CPU µs per request", "cpu_us", ",.0f"),
    ("p50 ms", "p50_ms", ",.0f"),
    ("p99 ms", "p99_ms", ",.0f"),
    ("refusals' p99 ms", "refused_p99_ms", ",.0f"),
    ("peak MiB", "peak_mib", ",.0f"),
    ("without an answer", "failures", ",.0f"),
    ("load's cores", "load_cores", ".2f"),
)
# From the least that is done to the whole.
PARTS: Final = ("nginx", "wrong_token", "sqlite", "ceiling")
CPU: Final = _columns(
    ("answers per second", "answers_per_second", ",.0f"),
    ("CPU µs", "cpu_us", ",.1f"),
    ("of it within the system", "cpu_system_us", ",.1f"),
    ("of it in other threads than the loop's", "cpu_other_threads_us", ",.1f"),
)
ALONE: Final = _columns(("p50 ms", "p50_ms", ",.2f"), ("p99 ms", "p99_ms", ",.2f"))
# What this checkout has, as so many times what the other has.
AGAINST: Final = (
    ("kept per second", "kept_per_second"),
    ("CPU µs per request", "cpu_us"),
    ("p50", "p50_ms"),
    ("p99", "p99_ms"),
    ("peak memory", "peak_mib"),
)


def markdown(found: Results) -> str:
    """All tables."""
    crowds = [row for row in found.rows if row.clients > CLIENTS]
    alone = [row for row in found.rows if row.clients == 1]
    servers = [row for row in found.rows if row.clients == CLIENTS and not row.key.startswith("wrong_token")]
    parts_of = [row for key in PARTS if (row := found.row(key))]
    parts = [
        _conditions(found),
        _table(f"{CLIENTS} clients", servers, [*SERVERS, ("ceiling's µs / its", partial(_ratio, found))]),
        _table("crowds", crowds, [("clients", _clients), *CROWD, ("of the highest rate", partial(_share, found))]),
        _table("one client", alone, ALONE),
        _table("CPU µs per request", parts_of, CPU),
        _table("against the other", _pairs(found), [(title, partial(_gain, found, name)) for title, name in AGAINST]),
        _targets(found),
        _remarks(found),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def headline(found: Results) -> str:
    """What matters most, in two sentences."""
    kept, cpu = (found.figure("sqlite", name) or 0 for name in ("kept_per_second", "cpu_us"))
    seed = found.combined(("assignment_flask", "cpu_us"), ("sqlite", "cpu_us"), truediv) or 0
    ceiling = found.combined(("ceiling", "cpu_us"), ("sqlite", "cpu_us"), truediv) or 0
    return (
        f"On one core ({found.machine['processor']}) the intake keeps {kept:,.0f} e-mails per second in a SQLite file, "
        f"each on the disk before it is answered, for {cpu:.0f} µs of CPU time each. A bare server on the same stack, "
        f"which keeps nothing, takes {ceiling:.0%} of that; the first design, on Flask, {seed:,.0f} times as much."
    )


def _conditions(found: Results) -> str:
    conditions = found.conditions
    how = (
        f"Measured at {found.measured_at} by `{found.command}`: {conditions['rounds']:.0f} rounds, each of all rows in "
        f"turn, {conditions['seconds']:.0f} s under each load, {conditions['latency'] * 1000:g} ms per call to AWS. "
        "Each figure is the median of the rounds."
    )
    described = found.machine | {f"commit{name and f' of {name}'}": commit for name, commit in found.commits.items()}
    return "\n".join([how, "", *(f"- {name}: {value}" for name, value in described.items())])


def _table(kind: str, rows: Sequence[Measured], columns: Sequence[Column]) -> str:
    """A line per row; nothing where there are none."""
    titles = [kind, *(title for title, _ in columns)]
    return table(titles, [[row.title, *(cell(row) for _, cell in columns)] for row in rows]) if rows else ""


def _clients(row: Measured) -> str:
    return f"{row.clients:,}"


def _pairs(found: Results) -> list[Measured]:
    """The rows that were measured of both checkouts."""
    return [row for row in found.rows if found.row(row.key + OTHER)]


def _gain(found: Results, name: str, row: Measured) -> str:
    ratio = found.combined((row.key, name), (row.key + OTHER, name), truediv)
    return "" if ratio is None else f"{ratio:.2f}"


def _ratio(found: Results, row: Measured) -> str:
    ratio = found.combined(("ceiling", "cpu_us"), (row.key, "cpu_us"), truediv)
    return "" if ratio is None else f"{ratio:.3f}"


def _share(found: Results, row: Measured) -> str:
    kept, most = row.figure("kept_per_second") or 0, highest(found)
    return f"{kept / most:.0%}" if row.key in CROWDS else ""


def _targets(found: Results) -> str:
    lines = []
    for target in targets(found):
        if target.measured is None:
            continue
        bound = f"{target.relation} {target.bound:{_whole(target.form)}}{target.unit}"
        measured = f"{target.measured:{target.form}}{target.unit}"
        lines.append([target.name, bound, measured, "yes" if target.is_met else "no"])
    return table(["target", "bound", "measured", "met"], lines) if lines else ""


def _whole(form: str) -> str:
    return ".0%" if form.endswith("%") else "g"


def _remarks(found: Results) -> str:
    remarks = list(found.remarks)
    for row in found.rows:
        asked, reached = row.figure("half_asked_per_second"), row.figure("half_kept_per_second")
        if asked and reached is not None and reached < _REACHED * asked:
            remarks.append(f"{row.title}: of half load, {asked:,.0f} per second, {reached / asked:.0%} was reached.")
    return "\n".join(f"- {remark}" for remark in remarks)


def main() -> None:
    """Print them, or put them into a document."""
    parser = argparse.ArgumentParser(description="The results of the intake's bench as Markdown.")
    parser.add_argument("results", type=Path)
    parser.add_argument("--into", type=Path, metavar="FILE")
    parser.add_argument("--headline-into", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    found = results.read(arguments.results)
    if arguments.into:
        into(arguments.into, "bench", markdown(found))
    if arguments.headline_into:
        into(arguments.headline_into, "bench headline", f"{headline(found)}\n")
    if not (arguments.into or arguments.headline_into):
        sys.stdout.write(markdown(found))


if __name__ == "__main__":
    main()
