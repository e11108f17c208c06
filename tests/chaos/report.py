"""What a run showed, as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chaos.run import Outcome


_MOST_VIOLATIONS: Final = 50


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Everything but the single posts; of them those of e-mails with which something is wrong."""
    found = asdict(outcome)
    history = outcome.history
    found["history"] = {
        "posts": len(history.posts),
        "kept": len(history.kept),
        "bad": len(history.bad),
        "destroyed": len({each.identity for each in history.destroyed}),
        "confirmations": len(history.confirmations),
    }
    found["violations"] = [
        violation._asdict()
        | {
            "posts": [post for post in history.posts if post.identity == violation.where],
            "confirmations": [each for each in history.confirmations if each.identity == violation.where],
        }
        for violation in outcome.violations[:_MOST_VIOLATIONS]
    ]
    return found


def as_table(outcome: Outcome) -> str:
    """For people."""
    history = outcome.history
    rows: list[tuple[str, object]] = [
        ("world", outcome.world),
        ("seed", outcome.seed),
        ("seconds of faults", f"{outcome.seconds:.0f}"),
        ("e-mails", outcome.posted),
        ("answered 200", len(history.kept)),
        ("objects", outcome.objects),
        ("bad messages", len(history.bad)),
        ("destroyed with the queue's file", len({each.identity for each in history.destroyed})),
        ("longest from 200 to stored", f"{outcome.stored_seconds:.1f} s"),
        *_counts("answers", outcome.statuses),
        *_counts("faults", outcome.faults),
        *_counts("kills", outcome.kills),
        *_counts("kills at", outcome.kills_at),
        *_counts("exits", outcome.exits),
        *((f"memory: {name}", f"{size / 2**20:.1f} MiB") for name, size in sorted(outcome.memory.items())),
        *(
            (f"after the last fault: {name}", "never" if seconds is None else f"{seconds:.1f} s")
            for name, seconds in outcome.settled.items()
        ),
        *((f"a broker alone: {n}", f"{seconds:.1f} s") for n, seconds in enumerate(outcome.alone_seconds)),
        ("violations", len(outcome.violations)),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}" for name, value in rows]
    lines += [f"VIOLATION {what}: {where}" for what, where in outcome.violations[:_MOST_VIOLATIONS]]
    return "\n".join(lines)


def _counts(heading: str, counts: Mapping[str, int]) -> list[tuple[str, object]]:
    return [(f"{heading}: {name}", count) for name, count in sorted(counts.items())]
