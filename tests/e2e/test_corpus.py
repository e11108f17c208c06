"""What must hold of every case of the corpus, and of the one process that has answered them all."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from checkpoint.email import Email
from corpus.all_cases import CASES, COUNT
from corpus.playing import is_probe, play_all
from corpus.raw_requests import DEADLINE_SECONDS, MAX_BYTES, OTHER_TOKEN, TOKEN
from e2e.services import Services

if TYPE_CHECKING:
    from corpus.case import Answer, Case
    from corpus.playing import Played, Received
    from e2e.services import Service

_SETTINGS: Final = {
    "TOKEN": f"{TOKEN},{OTHER_TOKEN}",
    "MAX_REQUEST_BYTES": str(MAX_BYTES),
    "HEADER_TIMEOUT_SECONDS": str(DEADLINE_SECONDS),
    "BODY_TIMEOUT_SECONDS": str(DEADLINE_SECONDS),
    "ANSWER_TIMEOUT_SECONDS": str(DEADLINE_SECONDS),
}
# A part of MARK and of every token, as it is and as a target has it.
_SECRET: Final = "marked"
# Some bodies at once that are as long as may be, each of them decoded; and what the allocator keeps of it.
_MOST_MEMORY_BYTES: Final = 96 * 2**20


@dataclass(frozen=True)
class Run:
    """The corpus, played from its beginning to the end of the process.

    played: what came of each case. memory_bytes: the most that the process had. queued: what it left on the queue.
    seconds: what SIGTERM took.
    """

    played: dict[str, Played]
    memory_bytes: int
    queued: list[bytes]
    log: str
    events: list[dict[str, Any]]
    exit_code: int
    seconds: float


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("corpus")
    services = Services(_SETTINGS, directory)
    try:
        intake = services.intake()
        played = asyncio.run(play_all(intake.port, CASES))
        memory_bytes = _peak_memory_bytes(intake)
        with socket.create_connection(("127.0.0.1", intake.port)):  # an idle client holds nobody up
            began = time.monotonic()
            exit_code = intake.terminate()
            seconds = time.monotonic() - began
    finally:
        services.kill_all()
    with closing(sqlite3.connect(directory / "data/queue.db")) as connection:
        queued = [body for (body,) in connection.execute("SELECT body FROM messages")]
    return Run(played, memory_bytes, queued, intake.log, intake.events, exit_code, seconds)


@pytest.mark.parametrize("name", CASES)
def test_a_connection_gets_its_answers_and_harms_no_other(run: Run, name: str) -> None:
    case, played = CASES[name], run.played[name]
    outcomes = [([(each.status, each.closes) for each in row], _end(case, row)) for row in case.outcomes]
    came = ([(answer.status, answer.closes) for answer in played.answers], played.end)

    assert came in outcomes, f"sent: {case.steps!r:.2000}"
    for expected, answer in zip(case.outcomes[outcomes.index(came)], played.answers, strict=True):
        assert {name: answer.value(name) for name in expected.headers} == expected.headers
        assert expected.body is None or answer.body == (expected.body if expected.has_body else b"")
        if answer.status >= 200:
            _check_form(answer)
    assert played.probes
    assert is_probe(played.probes[-1])


def test_the_corpus_is_large_and_no_case_hides_another() -> None:
    assert len(CASES) == COUNT >= 300


def test_exactly_what_was_answered_200_is_on_the_queue(run: Run) -> None:
    """An answer names its e-mail by the SHA-256 of the bytes to queue, which each case compares with its own."""
    answers = [answer for played in run.played.values() for answer in (*played.answers, *played.probes)]
    identities = [identity for answer in answers if (identity := answer.value("x-message-id"))]
    assert Counter(sha256(body).hexdigest() for body in run.queued) == Counter(identities)
    assert len(identities) > len(CASES)


def test_what_is_on_the_queue_can_be_archived_under_a_plain_name(run: Run) -> None:
    for body in set(run.queued):
        for name in Email.read(body).names:
            assert len(name) < 255
            assert name.replace("_", "").replace(".", "").isalnum()
            assert name.isascii()


def test_no_line_of_the_log_at_any_level_holds_a_body_or_a_token_or_a_target(run: Run) -> None:
    assert _SECRET not in run.log
    assert {event["level"] for event in run.events} >= {"debug", "info"}
    assert {event["event"] for event in run.events} >= {"message_queued", "request_refused", "stopped"}


def test_nothing_failed_that_nobody_foresaw(run: Run) -> None:
    assert [line for line in run.log.splitlines() if "Traceback" in line] == []
    assert [event for event in run.events if event["level"] not in {"debug", "info"}] == []
    statuses = {answer.status for played in run.played.values() for answer in played.answers}
    assert {status for status in statuses if status >= 500} == {505}


def test_the_memory_stays_within_its_bound(run: Run) -> None:
    assert run.memory_bytes < _MOST_MEMORY_BYTES


def test_it_stops_at_once_and_in_order(run: Run) -> None:
    assert run.exit_code == 0
    assert run.seconds < 2
    assert run.events[-1]["event"] == "stopped"


def _end(case: Case, outcome: tuple[Answer, ...]) -> str:
    return "closed" if case.must_end(outcome) else "goes on"


def _check_form(answer: Received) -> None:
    """What every answer must have (RFC 9110, 6.6.1 and 8.6)."""
    names = [name for name, _ in answer.headers]
    assert len(set(names)) == len(names)
    assert abs(parsedate_to_datetime(answer.value("date") or "").timestamp() - time.time()) < 120
    assert (answer.value("content-length") or "").isdecimal()


def _peak_memory_bytes(intake: Service) -> int:
    """The most that it had in memory since it began."""
    status = Path(f"/proc/{intake.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
