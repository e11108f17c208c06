"""Load on a server: posts from so many clients, as fast as they are answered, or at a given rate."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from processes import started_on

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = Path(__file__).parent
# The README's e-mail.
EMAIL: Final = (
    b'{"data": {"email_subject": "Your Subject", "email_sender": "Your Sender", '
    b'"email_timestream": "1706213694", "email_content": "Your Content"}, "token": "foobar"}'
)
TOKEN: Final = b"foobar"
_ANSWER_SECONDS: Final = 30  # after which wrk counts a request as failed
_GRACE_SECONDS: Final = 60  # for what a generator does before and after the time for which it was asked


class LoadFailedError(Exception):
    """A generator ended with an error, or had no answer at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a generator saw.

    kept: answers 200. refused: other answers. seconds: for which it measured. failures: requests without an answer.
    p50, p99: milliseconds until an answer. refused_p99: of the refusals alone, late_p99: by which requests left too
    late by the generator's fault; both 0 where it does not know. cores: CPU time that it took itself, per second.
    """

    kept: int
    refused: int
    seconds: float
    failures: int
    p50: float
    p99: float
    refused_p99: float
    late_p99: float
    cores: float


def wrk_version() -> str | None:
    """What wrk calls itself; None where it is not installed."""
    program = shutil.which("wrk")
    if program is None:
        return None
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stdout
    return " ".join(said.split()[:2])


def saturate(url: str, posted: bytes, *, clients: int, seconds: int, cores: frozenset[int]) -> Load:
    """By wrk: each client posts again as soon as it is answered."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(posted)
        body.flush()
        options = [f"--connections={clients}", f"--duration={seconds}s", f"--timeout={_ANSWER_SECONDS}s"]
        script = ["--threads=1", "--script", str(HERE / "wrk.lua")]
        return _run(["wrk", *options, *script, url, "--", body.name], seconds, cores)


def spin(url: str, *, clients: int, seconds: float, cores: frozenset[int]) -> Load:
    """By paced.py: as `saturate`, with refusals told apart."""
    return pace(url, clients=clients, seconds=seconds, rate=0, cores=cores)


def pace(url: str, *, clients: int, seconds: float, rate: float, cores: frozenset[int]) -> Load:
    """By paced.py: so many requests per second, over as many connections as there are clients."""
    program = [sys.executable, str(HERE / "paced.py"), "--port", str(urlsplit(url).port)]
    return _run([*program, f"--clients={clients}", f"--seconds={seconds}", f"--rate={rate}"], seconds, cores)


def _run(command: Sequence[str], seconds: float, cores: frozenset[int]) -> Load:
    """What the generator's last line says."""
    before = _cpu_seconds_of_children()
    with started_on(cores):
        ended = subprocess.run(command, input=EMAIL, capture_output=True, timeout=seconds + _GRACE_SECONDS, check=False)
    cpu = _cpu_seconds_of_children() - before
    said = (ended.stdout + ended.stderr).decode(errors="replace")
    if ended.returncode:
        raise LoadFailedError(f"{' '.join(command)} ended with {ended.returncode}:\n{said}")
    found: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    if not found["answers"]:
        raise LoadFailedError(f"{' '.join(command)} had no answer:\n{said}")
    taken = found["microseconds"] / 1e6
    return Load(
        kept=int(found["answers"] - found["refused"]),
        refused=int(found["refused"]),
        seconds=taken,
        failures=int(found["failures"]),
        p50=found["p50"] / 1000,
        p99=found["p99"] / 1000,
        refused_p99=found["refused_p99"] / 1000,
        late_p99=found["late_p99"] / 1000,
        cores=cpu / taken,
    )


def _cpu_seconds_of_children() -> float:
    """Of those that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
