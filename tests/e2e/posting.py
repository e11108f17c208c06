"""Clients of the intake: one request, many at once, and a load that goes on until it is told to stop."""

from __future__ import annotations

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from email.message import Message

TOKEN: Final = "foobar"
_CONNECTIONS: Final = 16
_JSON: Final = {"Content-Type": "application/json"}


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: Message


def post(port: int, payload: bytes) -> Answer:
    """One request on a connection of its own."""
    with closing(_connect(port)) as connection:
        return _exchange(connection, payload)


def post_email(port: int, data: dict[str, Any], *, token: str = TOKEN) -> Answer:
    """One e-mail."""
    return post(port, _payload(data, token))


def post_all(port: int, emails: Sequence[dict[str, Any]]) -> list[Answer]:
    """Many e-mails over several connections at once; the answers in the order of the e-mails."""
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        shares = [emails[first::_CONNECTIONS] for first in range(_CONNECTIONS)]
        answers: list[Answer | None] = [None] * len(emails)
        for first, share in enumerate(pool.map(lambda share: _post_share(port, share), shares)):
            answers[first::_CONNECTIONS] = share
    return [answer for answer in answers if answer is not None]


class Load:
    """Posts ever new e-mails over several connections while the body runs; a connection that breaks is made anew.

    answers: what was answered, with its e-mail. torn: connections that broke inside an answer.
    """

    def __init__(self, port: int, emails: Iterator[dict[str, Any]]) -> None:
        self._port = port
        self._emails = emails
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._post_until_stopped) for _ in range(_CONNECTIONS)]
        self.posted: list[dict[str, Any]] = []
        self.answers: list[tuple[dict[str, Any], Answer]] = []
        self.torn: list[http.client.HTTPException] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def kept(self) -> list[dict[str, Any]]:
        """The e-mails that were answered 200."""
        return [data for data, answer in self.answers if answer.status == 200]

    def _post_until_stopped(self) -> None:
        while not self._stop.is_set():
            with closing(_connect(self._port)) as connection:
                try:
                    self._post_on(connection)
                except (ConnectionError, http.client.RemoteDisconnected):
                    self._stop.wait(0.01)  # nobody listens, or an idle connection was closed: no answer was begun
                except http.client.HTTPException as error:
                    self.torn.append(error)

    def _post_on(self, connection: http.client.HTTPConnection) -> None:
        connection.connect()
        while not self._stop.is_set():
            with self._lock:
                data = next(self._emails)
                self.posted.append(data)
            answer = _exchange(connection, _payload(data, TOKEN))
            self.answers.append((data, answer))


def _connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def _payload(data: dict[str, Any], token: str) -> bytes:
    return json.dumps({"data": data, "token": token}, ensure_ascii=False).encode()


def _exchange(connection: http.client.HTTPConnection, payload: bytes) -> Answer:
    connection.request("POST", "/process_request", payload, _JSON)
    response = connection.getresponse()
    return Answer(response.status, response.read(), response.headers)


def _post_share(port: int, emails: Sequence[dict[str, Any]]) -> list[Answer]:
    with closing(_connect(port)) as connection:
        return [_exchange(connection, _payload(data, TOKEN)) for data in emails]
