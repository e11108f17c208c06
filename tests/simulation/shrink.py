"""A failing history with fewer faults: what is left is what it takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simulation.history import run

if TYPE_CHECKING:
    from simulation.plan import Plan


def shrink(plan: Plan) -> list[int]:
    """The places, in the plan of its seed, of faults without any of which it would not fail. It fails with all."""
    kept = list(range(len(plan.faults)))
    size = max(1, len(kept) // 2)
    while kept:
        for start in range(0, len(kept), size):
            fewer = kept[:start] + kept[start + size :]
            if run(only(plan, fewer)).violations:
                kept = fewer
                break
        else:
            if size == 1:
                break
            size = max(1, size // 2)
    return kept


def only(plan: Plan, places: list[int]) -> Plan:
    """The plan with these of its faults alone."""
    return replace(plan, faults=[plan.faults[place] for place in places])
