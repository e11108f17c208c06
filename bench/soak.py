"""Watch the memory of the intake and the broker for a long time, under a steady load of new e-mails.

Both run as they do by default on one machine: a queue in a SQLite file, an archive in a directory; with `--on sqs` the
queue is a stub of SQS. Objects are removed some seconds after they were made, past the broker, or an hour would leave a
million files and a half. The broker looks at a name again only where its message is delivered twice, and such an e-mail
would then be made twice; the client posts none twice, so this changes nothing for it.

Prints a line per minute, what the lines say together, and with `--json` writes all of it. Exits with 1 where an e-mail
was answered 200 and not archived. It says nothing about how much memory is too much.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from disk import add_directory, empty_directory, file_system
from growth import Growth, growth
from services import ServiceEndedError, started
from serving import free_port
from soaking import Sample, Soak

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HERE: Final = Path(__file__).parents[1]
PROGRAMS: Final = ("processing_requests", "message_broker")
_FEWEST_SAMPLES: Final = 4  # as `growth` has it


def main() -> None:
    """Run, and print a table."""
    arguments = parse()
    try:
        soak, archived = run(arguments)
    except ServiceEndedError as error:
        sys.exit(str(error))
    found = {program: found_in(soak.samples, program) for program in PROGRAMS}
    for program, each in found.items():
        sys.stdout.write(f"{program}: {each}\n")
    answers = dict(soak.client.answers)
    sys.stdout.write(f"answers by status: {answers}, no answer: {soak.client.failures}, archived: {archived}\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(soak, found, archived), indent=1) + "\n")
    if archived < soak.answered:
        sys.exit("Not every e-mail that was answered 200 was archived.")


def run(arguments: argparse.Namespace) -> tuple[Soak, int]:
    """Start the services and soak them; gives how many e-mails were archived, too. Raises ServiceEndedError."""
    with ExitStack() as stack:
        directory = stack.enter_context(empty_directory(arguments.directory))
        queue = stack.enter_context(sqs_stub()) if arguments.on == "sqs" else {}
        python_path = {"PATH": os.environ["PATH"], "PYTHONPATH": _python_path(arguments.checkout)}
        common = python_path | queue | dict(arguments.set)
        services = {}
        for program in PROGRAMS:
            ports = {"PRIVATE_PORT": str(free_port()), "PORT": str(free_port())}
            services[program] = stack.enter_context(started(program, directory, common | ports))
        where = f"{arguments.on}, {file_system(directory)}"
        show(f"{arguments.rate:g} e-mails per second, {where}\n\n{HEAD}")
        archive = directory / "data/archive"
        soak = Soak(services, archive, rate=arguments.rate, tell=lambda sample: show(line(sample)))
        asyncio.run(soak.run(minutes=arguments.minutes, every_seconds=arguments.every))
        return soak, soak.archived()


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Watch the memory of both services under a steady load.")
    add_directory(parser)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=420, help="new e-mails per second")
    parser.add_argument("--on", choices=["sqlite", "sqs"], default="sqlite", help="the queue (default: %(default)s)")
    parser.add_argument("--every", type=float, default=60, metavar="SECONDS", help="between two samples")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where to write what was found")
    parser.add_argument("--checkout", type=Path, default=HERE, metavar="PATH", help="whose services to run")
    parser.add_argument(
        "--set",
        type=lambda text: text.split("=", 1),
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one more environment variable for both services",
    )
    arguments = parser.parse_args()
    if arguments.minutes * 60 / arguments.every < _FEWEST_SAMPLES:
        parser.error(f"--minutes, --every: they make fewer than {_FEWEST_SAMPLES} samples")
    return arguments


@contextmanager
def sqs_stub() -> Iterator[dict[str, str]]:
    """A stub of SQS in a process of its own; gives the settings that lead to it."""
    command = [sys.executable, "-m", "stubs.sqs"]
    with subprocess.Popen(command, cwd=HERE / "tests", stdout=subprocess.PIPE, text=True) as stub:
        try:
            yield {
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_REGION": "us-east-1",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "QUEUE_URL": stub.stdout.readline().strip() if stub.stdout else "",
            }
        finally:
            stub.kill()


HEAD: Final = (
    f"{'':>26}  {'processing_requests':<41}  message_broker\n"
    f"{'minute':>6}{'e-mails':>11}{'backlog':>9}"
    + 2 * f"  {'RSS KiB':>9}{'anon':>8}{'peak':>8}{'threads':>9}{'files':>7}"
    + "\n"
)


def line(sample: Sample) -> str:
    """A sample as a line of the table."""
    cells = [
        f"  {each.resident:>9,}{each.anonymous:>8,}{each.peak:>8,}{each.threads:>9}{each.files:>7}"
        for each in sample.memory.values()
    ]
    return "".join([f"{sample.minutes:>6.1f}{sample.answered:>11,}{sample.backlog:>9,}", *cells, "\n"])


def found_in(samples: Sequence[Sample], program: str) -> Growth:
    """How one program's memory grew."""
    return growth([(each.minutes, each.answered, each.memory[program].resident) for each in samples])


def as_json(soak: Soak, found: Mapping[str, Growth], archived: int) -> dict[str, object]:
    """All that was found, in KiB and minutes."""
    return {
        "answers_by_status": soak.client.answers,
        "no_answer": soak.client.failures,
        "archived": archived,
        "growth": {program: asdict(each) for program, each in found.items()},
        "samples": [asdict(sample) for sample in soak.samples],
    }


def _python_path(checkout: Path) -> str:
    """The checkout's programs, after what whoever started this one put before them."""
    before = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    return os.pathsep.join([*before, str(checkout.resolve() / "apps"), str(checkout.resolve() / "src")])


def show(text: str) -> None:
    """Print at once, for who watches."""
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
