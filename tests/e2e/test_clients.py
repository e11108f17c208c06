"""Clients that people use post to a real process, and each is answered as the assignment's curl is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from e2e.clients.programs import CLIENTS, Client, Post, curl
from e2e.marked import SECRETS, body, marked
from e2e.one_machine import OneMachine
from e2e.posting import TOKEN
from e2e.services import Services
from e2e.switch import Switch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.services import Service

MAX_BYTES: Final = 2 * 2**20
TOO_LONG: Final = (
    16 * 2**20
)  # more than the buffers of two sockets hold: the client is still sending when it is refused

PROCESSED: Final = '200 {"message": "Request processed successfully"}'
INVALID_TOKEN: Final = '401 {"error": "Invalid token"}'
INVALID_FIELDS: Final = '400 {"error": "Invalid date format or fields"}'
TOO_LARGE: Final = f'413 {{"error": "Request too large", "max_bytes": {MAX_BYTES}}}'


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("intake")


@pytest.fixture(scope="module")
def machine(directory: Path) -> OneMachine:
    return OneMachine(directory)


@pytest.fixture(scope="module")
def services(machine: OneMachine, directory: Path) -> Iterator[Services]:
    started = Services(machine.environment, directory)
    try:
        yield started
    finally:
        started.kill_all()


@pytest.fixture(scope="module")
def intake(services: Services) -> Iterator[Service]:
    """One for all clients: what one of them leaves behind must not harm the next."""
    intake = services.intake(MAX_REQUEST_BYTES=str(MAX_BYTES))
    yield intake
    assert intake.terminate() == 0
    assert [event for event in intake.events if event["level"] in {"warning", "error"}] == []
    assert not any(secret in intake.log for secret in SECRETS)


@pytest.fixture
def bodies(tmp_path: Path) -> dict[str, Path]:
    """Files with what is posted, by the answer that it gets."""
    data = body(marked(0)).decode()
    contents = {
        PROCESSED: f'{{"data": {data}, "token": "{TOKEN}"}}',
        INVALID_TOKEN: f'{{"data": {data}, "token": "wrong"}}',
        INVALID_FIELDS: f'{{"data": {{}}, "token": "{TOKEN}"}}',
        TOO_LARGE: f'{{"data": {data}, "token": "{TOKEN}"}}'.ljust(TOO_LONG),
    }
    for number, content in enumerate(contents.values()):
        (tmp_path / f"{number}.json").write_text(content, encoding="utf-8")
    return {answer: tmp_path / f"{number}.json" for number, answer in enumerate(contents)}


@pytest.fixture(params=CLIENTS, ids=str)
def client(request: pytest.FixtureRequest) -> Client:
    found: Client = request.param
    return found


def test_a_client_posts_and_is_answered_over_one_connection(
    client: Client, intake: Service, machine: OneMachine, bodies: dict[str, Path]
) -> None:
    path = Switch(("127.0.0.1", intake.port))
    before = machine.waiting()
    expected = [
        (framing, answer)
        for framing in client.framings
        for answer in (PROCESSED, INVALID_TOKEN, PROCESSED, INVALID_FIELDS, PROCESSED)
    ]

    with path.running():
        posts = [Post(framing, bodies[answer]) for framing, answer in expected]
        answers = client.post(_url(path), posts)

    assert answers == [answer for _, answer in expected]
    assert machine.waiting() - before == answers.count(PROCESSED)
    if client.connections is None:
        assert path.connections == len(posts)
    else:
        assert path.connections <= client.connections


def test_a_client_that_posts_too_much_reads_why_and_goes_on(
    client: Client, intake: Service, bodies: dict[str, Path]
) -> None:
    framings = [each for each in client.framings if each != "expect" or client.reads_refusals_of_expect]
    expected = [(framing, answer) for framing in framings for answer in (TOO_LARGE, PROCESSED)]
    posts = [Post(framing, bodies[answer]) for framing, answer in expected]

    answers = client.post(_url(intake), posts)

    assert answers == [answer for _, answer in expected]


def test_curl_posts_what_it_reads_from_a_pipe(intake: Service, bodies: dict[str, Path]) -> None:
    options = ["--request", "POST", "--upload-file", "-", _url(intake)]
    assert curl(options, stdin=bodies[PROCESSED].read_text("utf-8")) == [PROCESSED]


def test_curl_asks_before_it_posts_two_mebibytes_and_is_told_at_once(
    intake: Service, bodies: dict[str, Path], tmp_path: Path
) -> None:
    """Beyond one mebibyte it adds `Expect: 100-continue` by itself."""
    longest = tmp_path / "longest.json"
    longest.write_bytes(bodies[PROCESSED].read_bytes().ljust(MAX_BYTES))
    options = ["--expect100-timeout", "20", "--data-binary", f"@{longest}", _url(intake)]
    assert curl(options) == [PROCESSED]


def _url(server: Service | Switch) -> str:
    return f"http://127.0.0.1:{server.port}/process_request"
