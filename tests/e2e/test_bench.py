"""`make bench` and the other programs of `bench`, with little to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[2]

CARELESS_BROKER: Final = """
import json, os, pathlib, signal, sys, urllib.parse, urllib.request

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
url = os.environ["QUEUE_URL"]
archive = pathlib.Path(urllib.parse.urlsplit(os.environ["ARCHIVE_URL"]).path)
archive.mkdir(exist_ok=True)

def call(operation, **asked):
    headers = {"X-Amz-Target": f"AmazonSQS.{operation}"}
    body = json.dumps({"QueueUrl": url} | asked).encode()
    request = urllib.request.Request(urllib.parse.urljoin(url, "/"), body, headers)
    return json.load(urllib.request.urlopen(request))

received = call("ReceiveMessage", MaxNumberOfMessages=10).get("Messages", [])
for number, message in enumerate(received):
    for copy in range(2 if number == 0 else 0 if number == 1 else 1):
        (archive / f"{number}-{copy}.json").write_text(message["Body"])
if received:
    entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(received)]
    call("DeleteMessageBatch", Entries=entries)
signal.pause()
"""


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "bench/broker.py", "--latency", "0.001", "--rounds", "1", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)


def test_the_bench_of_the_broker_prints_its_figures() -> None:
    ended = bench("--messages", "2000")

    assert (ended.returncode, ended.stderr) == (0, "")
    printed = dict(line.rsplit(maxsplit=1) for line in ended.stdout.splitlines() if line and line[-1].isdigit())
    figures = {name.strip(): float(value.replace(",", "")) for name, value in printed.items()}
    assert figures["messages per second"] > 0
    assert figures["CPU µs per message"] > 0
    assert figures["receives per message"] >= 0.1
    assert figures["deletes per message"] >= 0.1
    assert figures["most receives in flight"] >= 1


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (CARELESS_BROKER, "Of 10 messages 1 are missing, 1 are too many.\n"),
        ("import sys; sys.exit('The log.')", "The broker ended after 0 of 0 messages.\nThe log.\n\n"),
    ],
    ids=["careless", "ends"],
)
def test_the_bench_of_the_broker_fails_where_a_broker_does(tmp_path: Path, program: str, reason: str) -> None:
    path = tmp_path / "apps/message_broker/__main__.py"
    path.parent.mkdir(parents=True)
    path.write_text(program)
    path.with_name("__init__.py").touch()

    ended = bench("--messages", "10", "--against", str(tmp_path))

    assert (ended.returncode, ended.stderr) == (1, reason)


@pytest.mark.parametrize(
    ("program", "arguments", "lines", "columns"),
    [
        ("sqlite_queue.py", ["--commits", "1", "--most", "16", "--idle"], 9, 8),
        ("local_files.py", ["--files", "20"], 13, 4),
    ],
)
def test_a_bench_of_the_disk_prints_its_table_and_leaves_nothing(
    tmp_path: Path, program: str, arguments: list[str], lines: int, columns: int
) -> None:
    command = [sys.executable, f"bench/{program}", "--directory", str(tmp_path), "--rounds", "1", *arguments]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
    measured, _, _, *table = ended.stdout.splitlines()
    assert f"at {tmp_path}, " in measured
    assert [len(line.split()) for line in table] == [columns] * lines
    assert all(float(line.split()[-1].replace(",", "")) > 0 for line in table)
    assert list(tmp_path.iterdir()) == []
