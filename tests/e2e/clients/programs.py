"""Clients that people use, each as a program that posts what it is told and prints what it is answered."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = Path(__file__).parent
SECONDS: Final = 60


class Post(NamedTuple):
    """A request: how its body is framed (`length`, `chunked` or `expect`: 100-continue), and the file with its body."""

    framing: str
    file: Path


@dataclass(frozen=True, kw_only=True)
class Client:
    """A program that reads a line `FRAMING FILE` for each request, and prints a line `STATUS BODY` for each answer.

    needs: a program without which it cannot run. framings: those that it can send.
    connections: the most that it opens for requests that follow one another; None where it opens one for each.
    reads_refusals_of_expect: whether it takes a final answer where it asked for 100.
    """

    name: str
    command: Sequence[str | Path]
    needs: str = sys.executable
    framings: Sequence[str] = ("length", "chunked")
    connections: int | None = 1
    reads_refusals_of_expect: bool = True

    def __str__(self) -> str:
        return self.name

    def post(self, url: str, posts: Sequence[Post]) -> list[str]:
        """The answers to these requests, in their order. Skips the test where the program is not there."""
        skip_without(self.needs)
        lines = "".join(f"{framing} {file}\n" for framing, file in posts)
        return run([*self.command, url], lines).splitlines()


class Curl(Client):
    """curl, which reads no such lines: each request becomes a part of its command line, with all options again."""

    def post(self, url: str, posts: Sequence[Post]) -> list[str]:
        """As any client does."""
        of_framing = {
            "length": ["--header", "Expect:"],
            "chunked": ["--header", "Transfer-Encoding: chunked", "--header", "Expect:"],
            "expect": ["--header", "Expect: 100-continue", "--expect100-timeout", "20"],
        }
        return curl(
            *([*self.command[1:], *of_framing[framing], "--data-binary", f"@{file}", url] for framing, file in posts)
        )


def curl(*requests: Sequence[str | Path], stdin: str = "") -> list[str]:
    """What curl is answered to requests, each given by its options; as lines `STATUS BODY`."""
    skip_without("curl")
    command: list[str | Path] = ["curl"]
    for options in requests:
        command += ["--next", "--no-progress-meter", "--max-time", "20", "--write-out", r" %{http_code}\n"]
        command += ["--header", "Content-Type: application/json", *options]
    command.remove("--next")
    return [" ".join(line.rsplit(" ", 1)[::-1]) for line in run(command, stdin).splitlines()]


def skip_without(program: str) -> None:
    """Skip the test where this machine has no such program."""
    if shutil.which(program) is None:
        pytest.skip(f"There is no {program} to post with.")


def run(command: Sequence[str | Path], stdin: str = "") -> str:
    """What a command prints; fails where the command does."""
    ended = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ended.returncode == 0, f"{command[0]} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
    return ended.stdout


ALL_FRAMINGS: Final = ("length", "chunked", "expect")
PYTHON: Final = (sys.executable, HERE / "python.py")
HTTP_1_0: Final = ("curl", "--http1.0")
CLIENTS: Final = (
    Curl(name="curl", command=["curl"], needs="curl", framings=ALL_FRAMINGS),
    Curl(name="curl offering HTTP/2", command=["curl", "--http2"], needs="curl", framings=ALL_FRAMINGS),
    Curl(name="curl with HTTP/1.0", command=HTTP_1_0, needs="curl", framings=["length"], connections=None),
    Curl(
        name="curl with HTTP/1.0 and keep-alive",
        command=[*HTTP_1_0, "--header", "Connection: keep-alive"],
        needs="curl",
        framings=["length"],
    ),
    Client(name="http.client", command=[*PYTHON, "http.client"]),
    Client(name="urllib3", command=[*PYTHON, "urllib3"]),
    Client(name="requests", command=[*PYTHON, "requests"]),
    Client(name="httpx", command=[*PYTHON, "httpx"]),
    Client(name="aiohttp", command=[*PYTHON, "aiohttp"], framings=ALL_FRAMINGS),
    Client(
        name="Java's HttpClient",
        command=["java", HERE / "Post.java"],
        needs="javac",
        framings=ALL_FRAMINGS,
        reads_refusals_of_expect=False,  # it hangs, with whatever server: https://bugs.openjdk.org/browse/JDK-8286171
    ),
    Client(
        name="Node's fetch",
        command=["node", HERE / "fetch.mjs"],
        needs="node",
        connections=2,  # with Node's own server, too: the first is not yet free when the next request comes
    ),
    Client(name="Node's http", command=["node", HERE / "http.mjs"], needs="node", framings=ALL_FRAMINGS),
    Client(name="Go's net/http", command=["go", "run", HERE / "post.go"], needs="go", framings=ALL_FRAMINGS),
)
