"""Measure `checkpoint post`: posts per second to the embedded default, and what each costs this program."""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from disk import add_directory, empty_directory, file_system
from services import started

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROGRAM: Final = Path(sys.executable).with_name("checkpoint")


def main() -> None:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description="Measure posts from the command line.")
    add_directory(parser)
    parser.add_argument("--emails", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[16, 64, 256])
    arguments = parser.parse_args()
    sys.stdout.write(
        f"{arguments.emails} e-mails of {len(email(0))} bytes, {os.cpu_count()} cores, "
        f"{file_system(arguments.directory)} at {arguments.directory}\n\n"
        f"{'concurrency':>11}{'per second':>12}{'CPU µs per post':>17}\n"
    )
    with empty_directory(arguments.directory) as directory:
        (directory / "mails.jsonl").write_bytes(b"".join(email(number) + b"\n" for number in range(arguments.emails)))
        (directory / "none.jsonl").touch()
        environment = os.environ | {"PORT": str(free_port()), "PRIVATE_PORT": str(free_port())}
        with started("processing_requests", directory, environment) as service:
            url = f"http://127.0.0.1:{service.port}"
            _, start = post(directory, ["none.jsonl", "--to", url])
            for concurrency in arguments.concurrency:
                receipts = ["--receipts", f"{concurrency}.jsonl"]
                told, cpu = post(directory, ["mails.jsonl", "--to", url, "--concurrency", str(concurrency), *receipts])
                each = (cpu - start) / told["confirmed"] * 1e6
                sys.stdout.write(f"{concurrency:>11}{told['per_second']:>12.0f}{each:>17.0f}\n")
                sys.stdout.flush()


def email(number: int) -> bytes:
    """An e-mail like the assignment's."""
    data = {
        "email_subject": "Happy new year!",
        "email_sender": "John Doe",
        "email_timestream": str(1_693_561_101 + number),
        "email_content": "Just want to say... Happy new year!!!",
    }
    return json.dumps(data).encode()


def post(directory: Path, arguments: Sequence[str]) -> tuple[dict[str, Any], float]:
    """What the program says in the end, and its CPU seconds."""
    before = _cpu_seconds()
    ended = subprocess.run(
        [_PROGRAM, "post", "--json", *arguments], cwd=directory, stdout=subprocess.PIPE, check=True, text=True
    )
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told, _cpu_seconds() - before


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        port: int = some.getsockname()[1]
        return port


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
