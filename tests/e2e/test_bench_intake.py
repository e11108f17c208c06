"""`make bench`, with few rows and little to do, and the programs that it consists of."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NoReturn

pytestmark = pytest.mark.measures

REPOSITORY: Final = Path(__file__).parents[2]

# It answers 200 and keeps nothing but the first three e-mails.
FORGETFUL_INTAKE: Final = """
import asyncio, os, sqlite3, urllib.parse

path = urllib.parse.urlsplit(os.environ["QUEUE_URL"]).path[1:]
connection = sqlite3.connect(path, isolation_level=None)
connection.execute("CREATE TABLE messages (body)")
connection.executemany("INSERT INTO messages VALUES (?)", [("1",), ("2",), ("3",)])
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}"

async def answer(reader, writer):
    while await reader.readuntil(b"}"):
        await reader.readuntil(b"}")
        writer.write(ANSWER)

async def main():
    async with await asyncio.start_server(answer, "127.0.0.1", int(os.environ["PORT"])) as server:
        await server.serve_forever()

asyncio.run(main())
"""


def run(program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, f"bench/{program}", *arguments],
        cwd=REPOSITORY,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def wrk(cannot_run: Callable[[str], NoReturn]) -> None:
    if not shutil.which("wrk"):
        cannot_run("wrk is not installed.")


@pytest.mark.usefixtures("wrk")
def test_the_bench_of_the_intake_writes_its_results_as_json_as_a_table_and_as_plots(tmp_path: Path) -> None:
    results = tmp_path / "results"
    options = ["--rounds", "1", "--seconds", "1", "--directory", str(tmp_path), "--results", str(results)]
    ended = run("intake.py", *options, "--rows", "ceiling,sqlite_alone,sqs_alone")

    assert ended.returncode == 0, ended.stderr
    found = json.loads((results / "intake.json").read_text())
    rows = {row["key"]: row["rounds"] for row in found["rows"]}
    assert rows.keys() == {"ceiling", "sqlite_alone", "sqs_alone"}
    for row in rows.values():
        assert row["kept_per_second"][0] > 0
        assert row["cpu_us"][0] > 0
        assert row["peak_mib"][0] > 1
        assert row["failures"] == [0]
    assert rows["ceiling"]["half_kept_per_second"][0] > 0
    assert rows["sqs_alone"]["sends_per_message"][0] == pytest.approx(1, abs=0.1)
    assert rows["sqs_alone"]["p50_ms"][0] >= 10
    assert (results / "intake.md").read_text() in ended.stdout
    assert "| ceiling: bare ASGI app on uvicorn | " in ended.stdout
    for plot in results.glob("*.svg"):
        assert ET.fromstring(plot.read_text()).tag.endswith("svg")  # noqa: S314  written a moment ago
    assert {path.name for path in tmp_path.iterdir()} == {"results"}


@pytest.mark.usefixtures("wrk")
def test_the_bench_of_the_intake_fails_where_an_e_mail_that_was_answered_200_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "apps/processing_requests/__main__.py"
    path.parent.mkdir(parents=True)
    path.write_text(FORGETFUL_INTAKE)
    path.with_name("__init__.py").touch()

    options = ["--rounds", "1", "--seconds", "1", "--results", str(tmp_path / "results")]
    ended = run("intake.py", *options, "--rows", "sqlite_alone@other", "--against", str(tmp_path))

    assert ended.returncode == 1
    assert ended.stderr.endswith(" e-mails were answered 200, 3 are on the queue.\n")


def test_the_bench_of_the_intake_says_in_one_line_that_wrk_is_missing(tmp_path: Path) -> None:
    ended = run("intake.py", PATH=str(tmp_path))

    assert (ended.returncode, ended.stderr) == (1, "wrk is not installed (Debian: apt-get install wrk).\n")


class Slow(BaseHTTPRequestHandler):
    """Answers 503 to each fourth request, and holds one up; the others wait for that one."""

    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    count = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            type(self).count += 1
            number = self.count
            if number == 100:
                time.sleep(0.5)  # the stall that is measured
        self.send_response(503 if number % 4 == 0 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def slow_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        server.daemon_threads = True
        Slow.count = 0
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def paced(port: int, *options: str) -> dict[str, Any]:
    command = [sys.executable, "bench/paced.py", "--port", str(port), "--clients", "2", *options]
    ended = subprocess.run(command, cwd=REPOSITORY, input=b"{}", capture_output=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_a_load_at_a_rate_charges_a_stall_to_every_request_that_was_due_meanwhile(slow_port: int) -> None:
    found = paced(slow_port, "--seconds", "2", "--rate", "200")

    assert found["answers"] == pytest.approx(400, rel=0.2)
    assert abs(found["refused"] - found["answers"] / 4) <= 4  # of the last round of answers not all are read
    assert found["failures"] == 0
    # A quarter of the time was a stall. Two connections that only wait for each other would count it twice.
    assert found["p99"] > 400_000
    assert found["p50"] < 400_000


def test_a_load_without_a_rate_posts_as_fast_as_it_is_answered(slow_port: int) -> None:
    found = paced(slow_port, "--seconds", "1")

    assert found["answers"] > 101
    assert abs(found["refused"] - found["answers"] / 4) <= 4  # of the last round of answers not all are read
    assert found["refused_p99"] > 0


def results(cpu: float, tail: float) -> dict[str, Any]:
    rows = [("ceiling", 20.0, 5.0), ("sqlite", cpu, tail)]
    return {
        "measured_at": "2026-01-01 00:00 UTC",
        "command": "make bench",
        "machine": {"processor": "one"},
        "commits": {"": "abc"},
        "conditions": {"rounds": 3, "seconds": 3, "latency": 0.01},
        "remarks": [],
        "rows": [
            {
                "key": key,
                "title": key,
                "clients": 64,
                "rounds": {"cpu_us": [0.9 * us, 1.5 * us, us], "p50_ms": [2.0] * 3, "p99_ms": [p99] * 3},
            }
            for key, us, p99 in rows
        ],
    }


@pytest.mark.parametrize(
    ("cpu", "tail", "code", "said"),
    [
        (28.0, 9.0, 0, "6 of 6 figures agree.\n"),
        (30.0, 9.0, 1, "sqlite: CPU time / the ceiling's: 1.25 and 1.5, a factor of 1.20 where 1.15 is allowed\n"),
        (25.0, 11.0, 1, "sqlite: p99_ms: 5 and 11, a factor of 2.20 where 2 is allowed\n"),
    ],
)
def test_two_runs_are_compared_figure_by_figure(tmp_path: Path, cpu: float, tail: float, code: int, said: str) -> None:
    (tmp_path / "one").write_text(json.dumps(results(25, 5)))
    (tmp_path / "other").write_text(json.dumps(results(cpu, tail)))

    ended = run("compare.py", str(tmp_path / "one"), str(tmp_path / "other"))

    assert (ended.returncode, ended.stdout[: len(said)]) == (code, said)


def test_results_are_put_into_a_document_between_two_lines(tmp_path: Path) -> None:
    (tmp_path / "results").write_text(json.dumps(results(25, 5)))
    document = tmp_path / "document"
    document.write_text("Before.\n\n<!-- bench -->\nold\n<!-- /bench -->\n\nAfter.\n")

    assert run("report.py", str(tmp_path / "results"), "--into", str(document)).returncode == 0

    before, _, rest = document.read_text().partition("<!-- bench -->\n")
    table, _, after = rest.partition("<!-- /bench -->\n")
    assert (before, after) == ("Before.\n\n", "\nAfter.\n")
    assert table == f"\n{run('report.py', str(tmp_path / 'results')).stdout}\n"
    assert "| the ceiling's CPU µs / the intake's, on `sqlite:` | ≥ 0.75 | 0.80 | yes |" in table
