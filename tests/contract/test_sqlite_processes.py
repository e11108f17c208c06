"""Several real processes on one queue file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from contract.queues import SQLite

PROGRAM = Path(__file__).with_name("sqlite_program.py")


def start(sqlite: SQLite, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, PROGRAM, f"sqlite:///{sqlite.path}", *words], stdout=subprocess.PIPE, text=True
    )


def lines(process: subprocess.Popen[str]) -> list[str]:
    """All that it wrote; it must have ended well."""
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    return output.split()


def stdout(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout
    return process.stdout


def test_every_message_is_received_once_whichever_process_sends_and_receives(sqlite: SQLite) -> None:
    senders = [start(sqlite, "send", name, "300") for name in "abc"]
    receivers = [start(sqlite, "receive") for _ in range(3)]

    sent = [line for sender in senders for line in lines(sender)]
    received = [line for receiver in receivers for line in lines(receiver)]

    assert len(sent) == 900
    assert sorted(received) == sorted(sent)
    assert sqlite.bodies() == []


def test_what_was_confirmed_before_a_kill_is_there(sqlite: SQLite) -> None:
    with start(sqlite, "send", "a", "1000000") as sender:
        confirmed = [stdout(sender).readline().strip() for _ in range(200)]
        sender.kill()
        confirmed += [line.strip() for line in stdout(sender) if line.endswith("\n")]

    assert len(confirmed) >= 200
    assert set(confirmed) <= {body.decode() for body in sqlite.bodies()}


def test_what_a_killed_receiver_held_is_received_again(sqlite: SQLite) -> None:
    sent = lines(start(sqlite, "send", "a", "300"))
    with start(sqlite, "receive") as killed:
        deleted = [stdout(killed).readline().strip() for _ in range(20)]
        killed.kill()
        deleted += [line.strip() for line in stdout(killed) if line.endswith("\n")]

    # One batch may have been deleted, and its lines not written.
    rest = lines(start(sqlite, "receive"))

    assert not set(deleted) & set(rest)
    assert len(sent) - len(deleted) - len(rest) in range(11)
    assert sqlite.bodies() == []
