"""Load on a server: posts from so many clients, as fast as they are answered, or at a given rate."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from processes import started_on

if TYPE_CHECKING:
    from processes import Cores

HERE: Final = Path(__file__).parent
# The README's e-mail.
EMAIL: Final = (
    b'{"data": {"email_subject": "Your Subject", "email_sender": "Your Sender", '
    b'"email_timestream": "1706213694", "email_content": "Your Content"}, "token": "foobar"}'
)
_GRACE_SECONDS: Final = 60  # for what a generator does before and after the time for which it was asked


class LoadFailedError(Exception):
    """A generator ended with an error, or had no answer at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a generator saw.

    kept: answers 200. refused: other answers. seconds: for which it measured.
    p50, p99: seconds until an answer. refused_p99: of refusals alone; None where the generator cannot tell them apart.
    failures: connections that could not be made or broke.
    """

    kept: int
    refused: int
    seconds: float
    p50: float
    p99: float
    refused_p99: float | None
    failures: int


def wrk(url: str, *, clients: int, seconds: float, cores: Cores) -> Load:
    """Each client posts again as soon as it is answered.

    https://github.com/wg/wrk
    """
    program = shutil.which("wrk")
    if program is None:
        raise LoadFailedError("wrk is not installed (Debian: apt-get install wrk).")
    with tempfile.NamedTemporaryFile() as body:
        body.write(EMAIL)
        body.flush()
        options = ["--threads=1", f"--connections={clients}", f"--duration={max(1, round(seconds))}s", "--timeout=30s"]
        script = ["--script", str(HERE / "wrk.lua")]
        found = _run([program, *options, *script, url, "--", body.name], seconds, cores)
    return Load(
        kept=found["answers"] - found["refused"],
        refused=found["refused"],
        seconds=found["microseconds"] / 1e6,
        p50=found["p50"] / 1e6,
        p99=found["p99"] / 1e6,
        refused_p99=None,
        failures=found["not_connected"] + found["not_read"] + found["not_written"] + found["late"],
    )


def _run(command: list[str], seconds: float, cores: Cores) -> dict[str, int]:
    """The generator's last line."""
    with started_on(cores.load):
        ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds + _GRACE_SECONDS, check=False)
    if ended.returncode:
        raise LoadFailedError(f"{Path(command[0]).name} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    found: dict[str, int] = json.loads(ended.stdout.splitlines()[-1])
    if not found["answers"]:
        raise LoadFailedError(f"{Path(command[0]).name} had no answer:\n{ended.stdout}{ended.stderr}")
    return found
