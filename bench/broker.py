"""Measure how fast the broker empties an SQS queue, what that costs, and how often it calls.

The SQS is a stub with a fixed latency per call, in a process of its own; the archive is a directory, in memory where
there is such a file system. CPU time is that of the broker's process, without what it takes to start and to stop, which
a run over an empty queue shows. Exits with 1 where an object is missing or doubled.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from measuring import Run, RunFailedError, run_broker

if TYPE_CHECKING:
    from collections.abc import Callable

HERE: Final = Path(__file__).parents[1]
FIRST_TIMESTREAM: Final = 1_706_213_694

# A figure's name, how it is printed, and how it follows from a run and from the CPU seconds of starting and stopping.
FIGURES: Final[list[tuple[str, str, Callable[[Run, float], float]]]] = [
    ("messages per second", ",.0f", lambda run, _: run.messages / run.seconds),
    ("CPU µs per message", ",.0f", lambda run, idle: (run.cpu_seconds - idle) / run.messages * 1e6),
    ("share of a core", ".0%", lambda run, idle: (run.cpu_seconds - idle) / run.seconds),
    ("receives per message", ".3f", lambda run, _: run.calls["ReceiveMessage"] / run.messages),
    ("deletes per message", ".3f", lambda run, _: run.calls["DeleteMessageBatch"] / run.messages),
    (
        "receives + deletes per message",
        ".3f",
        lambda run, _: (run.calls["ReceiveMessage"] + run.calls["DeleteMessageBatch"]) / run.messages,
    ),
    (
        "visibility changes per message",
        ".3f",
        lambda run, _: run.calls["ChangeMessageVisibilityBatch"] / run.messages,
    ),
    ("most receives in flight", ".0f", lambda run, _: run.most_receives_in_flight),
]


def main() -> None:
    """Run, and print a table."""
    arguments = parse()
    checkouts = [HERE, *([arguments.against.resolve()] if arguments.against else [])]
    try:
        columns = measure(checkouts, arguments)
    except RunFailedError as error:
        sys.exit(str(error))
    size = len(email(0, arguments.size))
    sys.stdout.write(
        f"{arguments.messages} messages of {size} bytes, {arguments.latency * 1000:g} ms per call to SQS, "
        f"median of {arguments.rounds} rounds\n\n{table(columns)}\n"
    )


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure the broker over an SQS stub.")
    parser.add_argument("--against", type=Path, metavar="PATH", help="another checkout, measured in turn with this one")
    parser.add_argument("--messages", type=int, default=4_000)
    parser.add_argument("--size", type=int, default=131, help="bytes per message, as far as its fields leave room")
    parser.add_argument("--latency", type=float, default=0.01, help="seconds per call to SQS")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--deadline", type=float, default=60, help="seconds for one run, after which it has failed")
    arguments = parser.parse_args()
    if arguments.against and not (arguments.against / "apps/message_broker").is_dir():
        parser.error(f"--against: {arguments.against} is no checkout: it has no apps/message_broker")
    return arguments


def measure(checkouts: list[Path], arguments: argparse.Namespace) -> list[list[float]]:
    """The figures of each checkout, in the order of FIGURES."""

    def run(checkout: Path, messages: int) -> Run:
        bodies = [email(number, arguments.size) for number in range(messages)]
        return run_broker(checkout, bodies, latency=arguments.latency, deadline_seconds=arguments.deadline)

    # Of two, because the first may compile the checkout's modules.
    idle = [min(run(checkout, 0).cpu_seconds for _ in range(2)) for checkout in checkouts]
    rounds = [[run(checkout, arguments.messages) for checkout in checkouts] for _ in range(arguments.rounds)]
    return [
        [median(figure(each, idle_seconds) for each in runs) for _, _, figure in FIGURES]
        for runs, idle_seconds in zip(zip(*rounds, strict=True), idle, strict=True)
    ]


def table(columns: list[list[float]]) -> str:
    """A line per figure; two columns are compared in a third."""
    titles = ["this checkout", "the other", "ratio"] if len(columns) > 1 else ["this checkout"]
    lines = ["".join([f"{'':<32}", *(f"{title:>16}" for title in titles)])]
    for (name, form, _), *values in zip(FIGURES, *columns, strict=True):
        cells = [format(value, form) for value in values]
        if len(values) > 1:
            cells.append(f"{values[0] / values[1]:.2f}" if values[1] else "")
        lines.append("".join([f"{name:<32}", *(f"{cell:>16}" for cell in cells)]))
    return "\n".join(lines)


def email(number: int, size: int) -> str:
    """An e-mail of a timestream of its own."""
    data = {
        "email_subject": "Your Subject",
        "email_sender": "Your Sender",
        "email_timestream": str(FIRST_TIMESTREAM - number),
        "email_content": "Your Content",
    }
    data["email_content"] += "." * (size - len(json.dumps(data)))
    return json.dumps(data)


if __name__ == "__main__":
    main()
