"""A client that posts e-mails to several intakes, again until each is answered 200, and writes every answer down."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter, deque
from contextlib import contextmanager, suppress
from random import Random
from typing import TYPE_CHECKING, Final

from conservation.history import Post, identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conservation.history import History

CONNECTIONS: Final = 12
_TIMEOUT_SECONDS: Final = 7.0  # longer than an intake waits for the queue
_MOST_UNANSWERED: Final = 2_000
_FIRST_TIMESTREAM: Final = 1_706_213_694
_PER_TIMESTREAM: Final = 5
_HEADERS: Final = {"Content-Type": "application/json"}
# A phase's posts per second as a share of the usual, and for how many seconds: steady, a burst, a trickle, silence.
_PHASES: Final = ((1.0, 4.0), (1.0, 4.0), (5.0, 0.7), (0.1, 2.0), (0.0, 1.0))


class Client:
    """Posts over several connections, each in a thread of its own.

    ports: of the intakes; a connection that fails is made to the next one. rate: new e-mails per second, as a rule.
    is_behind: whether so much waits already that no new e-mails are to be posted.
    statuses: how often each was answered; None where no answer came.
    """

    def __init__(
        self, ports: Sequence[int], history: History, *, seed: int, rate: float, is_behind: Callable[[int], bool]
    ) -> None:
        self._ports = ports
        self._history = history
        self._rate = rate
        self._is_behind = is_behind
        self._random = Random(f"client {seed}")
        self._lock = threading.Lock()
        self._number = 0
        self._lately: deque[bytes] = deque(maxlen=500)
        self._again: deque[tuple[float, bytes]] = deque()
        self._asked: deque[bytes] = deque()
        self._under_way = 0
        self._next_at = 0.0
        self._phase_rate = 0.0
        self._phase_ends = 0.0
        self._is_loading = threading.Event()
        self._stopped = threading.Event()
        self.statuses: Counter[int | None] = Counter()
        self.posted = 0

    @contextmanager
    def running(self, *, is_loading: bool = True) -> Iterator[None]:
        """Post while the body runs; what was not answered 200 by its end is left.

        is_loading: whether without being asked, by the phases.
        """
        threads = [threading.Thread(target=self._post, args=(number,), daemon=True) for number in range(CONNECTIONS)]
        if is_loading:
            self._is_loading.set()
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join(2 * _TIMEOUT_SECONDS)

    def calm(self) -> None:
        """Post no more e-mails than those that were not answered 200 yet."""
        self._is_loading.clear()

    @property
    def unanswered(self) -> int:
        """E-mails that were posted and not answered 200 yet."""
        with self._lock:
            return len(self._again) + len(self._asked) + self._under_way

    @property
    def asked(self) -> int:
        """E-mails that were asked for and not posted yet."""
        return len(self._asked)

    def post_new(self, count: int, *, length: int | None = None) -> None:
        """Post so many more e-mails now, each of about so many bytes."""
        with self._lock:
            self._asked.extend(self._new(length) for _ in range(count))

    def next_names(self, count: int) -> list[str]:
        """The plain names of the next so many timestreams, of which no e-mail was posted yet."""
        with self._lock:
            self._number += -self._number % _PER_TIMESTREAM
            first = _FIRST_TIMESTREAM + self._number // _PER_TIMESTREAM
            return [f"sqs_message_{first + number}.json" for number in range(count)]

    def _post(self, number: int) -> None:
        place = number
        connection: http.client.HTTPConnection | None = None
        while not self._stopped.is_set():
            body = self._next()
            if body is None:
                self._stopped.wait(0.005)
                continue
            if connection is None:
                port = self._ports[place % len(self._ports)]
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
            began = time.monotonic()
            status = _exchange(connection, body)
            self._note(body, began, status)
            if status is None or status != 200:
                connection.close()
                connection = None
                place += 1
        if connection is not None:
            connection.close()

    def _note(self, body: bytes, began: float, status: int | None) -> None:
        ended = time.monotonic()
        with self._lock:
            self._under_way -= 1
            self.statuses[status] += 1
            self._history.posts.append(Post(identity(body), began, ended, status))
            if status != 200:
                self._again.append((ended + self._random.uniform(0.05, 0.5), body))

    def _next(self) -> bytes | None:
        """What to post now: what was asked for, what is due again, or by the phase a new one or one posted before."""
        now = time.monotonic()
        with self._lock:
            body = None
            if self._asked:
                body = self._asked.popleft()
            elif self._again and self._again[0][0] <= now:
                _, body = self._again.popleft()
            elif self._is_loading.is_set() and self._is_due(now):
                body = (
                    self._random.choice(self._lately) if self._lately and self._random.random() < 0.1 else self._new()
                )
            if body is not None:
                self._under_way += 1
            return body

    def _is_due(self, now: float) -> bool:
        if len(self._again) >= _MOST_UNANSWERED or self._is_behind(self.posted):
            return False
        if now >= self._phase_ends:
            share, seconds = self._random.choice(_PHASES)
            self._phase_rate, self._phase_ends = share * self._rate, now + seconds
            self._next_at = now
        rate = self._phase_rate
        if not rate or now < self._next_at:
            return False
        self._next_at = max(self._next_at + 1 / rate, now - 0.1)
        return True

    def _new(self, length: int | None = None) -> bytes:
        """An e-mail unlike every other; several of a timestream, one in 200 long."""
        number = self._number
        self._number += 1
        if length is None:
            length = self._random.randint(20_000, 150_000) if self._random.random() < 0.005 else 0
        padding = "x" * length
        timestream = str(_FIRST_TIMESTREAM + number // _PER_TIMESTREAM)
        data = {
            "email_subject": f"subject {number}",
            "email_sender": "Zoë <zoe@example.org>",
            "email_timestream": timestream,
            "email_content": f"content {number} 日本語 {padding}",
        }
        body = json.dumps(data, ensure_ascii=False).encode()
        self._history.timestreams[identity(body)] = timestream
        self._lately.append(body)
        self.posted += 1
        return body


def _exchange(connection: http.client.HTTPConnection, body: bytes) -> int | None:
    """The status; None where no whole answer came."""
    with suppress(OSError, http.client.HTTPException):
        payload = b'{"token": "foobar", "data": ' + body + b"}"
        connection.request("POST", "/process_request", payload, _HEADERS)
        response = connection.getresponse()
        response.read()
        return response.status
    return None
