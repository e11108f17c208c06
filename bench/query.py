"""Measure `checkpoint query`: a count by sender over an archive that it makes, in files and on an emulator of S3.

The emulator is one Python process that answers one request after the other: it bounds what is measured on S3. AWS
answers many at once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from disk import add_directory, empty_directory, file_system

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from emulator_process import running_emulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulator_process import Emulator

SENDERS: Final = 100
BUCKET: Final = "bench-query"
FIRST: Final = 1_700_000_000
SQL: Final = "SELECT email_sender, count(*) AS emails FROM emails GROUP BY email_sender ORDER BY email_sender"


def main() -> None:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description="Measure a count by sender over the archive.")
    add_directory(parser)
    parser.add_argument("--emails", type=int, default=100_000)
    parser.add_argument("--on", choices=("files", "s3", "both"), default="both")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    sys.stdout.write(
        f"{arguments.emails} e-mails of {len(email(0))} bytes, {os.cpu_count()} cores; files: "
        f"{file_system(arguments.directory)} at {arguments.directory}\n\n"
        f"{'archive':>8}{'round':>7}{'seconds':>9}{'CPU s':>8}{'e-mails/s':>11}\n"
    )
    if arguments.on in {"files", "both"}:
        with empty_directory(arguments.directory) as directory:
            make_files(directory, arguments.emails)
            measure("files", {"ARCHIVE_URL": directory.as_uri()}, arguments)
    if arguments.on in {"s3", "both"}:
        with on_s3(arguments.emails) as environment:
            measure("S3", environment, arguments)


def email(number: int) -> bytes:
    """An e-mail like the assignment's."""
    data = {
        "email_subject": "Happy new year!",
        "email_sender": f"sender-{number % SENDERS:03}@example.com",
        "email_timestream": str(FIRST + number),
        "email_content": "Just want to say... Happy new year!!!",
    }
    return json.dumps(data).encode()


def name(number: int) -> str:
    """Its object's."""
    return f"sqs_message_{FIRST + number}.json"


def make_files(directory: Path, count: int) -> None:
    """An archive of files; no sync, for no power cut is measured."""
    for number in range(count):
        (directory / name(number)).write_bytes(email(number))


@contextmanager
def on_s3(count: int) -> Iterator[Mapping[str, str]]:
    """An archive on the emulator, and what leads there."""
    with TemporaryDirectory() as directory, running_emulator(Path(directory)) as emulator:
        emulator.s3.create_bucket(Bucket=BUCKET)
        with ThreadPoolExecutor(4) as pool:
            for _ in pool.map(lambda number: put(emulator, number), range(count)):
                pass
        yield emulator.environment | {"ARCHIVE_URL": f"s3://{BUCKET}"}


def put(emulator: Emulator, number: int) -> None:
    """One object."""
    emulator.s3.put_object(Bucket=BUCKET, Key=name(number), Body=email(number))


def measure(archive: str, environment: Mapping[str, str], arguments: argparse.Namespace) -> None:
    """Run the command so often; exits where it counts wrongly."""
    for number in range(arguments.rounds):
        cpu, began = children_cpu(), time.perf_counter()
        printed = subprocess.run(
            [sys.executable, "-m", "command_line", "query", SQL, "--json"],
            env={"PATH": os.environ["PATH"]} | dict(environment),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        seconds = time.perf_counter() - began
        counts = [json.loads(line)["emails"] for line in printed.splitlines()]
        if sum(counts) != arguments.emails or len(counts) != min(SENDERS, arguments.emails):
            sys.exit(f"It counted {sum(counts)} e-mails of {len(counts)} senders.")
        rate = arguments.emails / seconds
        sys.stdout.write(f"{archive:>8}{number + 1:>7}{seconds:>9.1f}{children_cpu() - cpu:>8.1f}{rate:>11,.0f}\n")
        sys.stdout.flush()


def children_cpu() -> float:
    """Seconds that ended children have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
