"""All open connections: in which state each of them is, for how long, and how many there may be."""

from __future__ import annotations

import asyncio
import math
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.operations.telemetry import log_failure
from processing_requests.http.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.clock import Clock
    from processing_requests.answers import Refusal
    from processing_requests.http.bounds import Bounds
    from processing_requests.http.routes import Routes

_log = structlog.get_logger()

# How often it is looked for what has lasted too long. So every bound may be kept this much too late.
_LOOK_SECONDS: Final = 0.1
# For requests that clients send before they are told that the connection ends: one that is closed over a request that
# was not read is reset.
_LAST_REQUESTS_SECONDS: Final = 0.25
# A warning that would come for each new connection comes so often.
_LOG_SECONDS: Final = 60.0
# A body that takes longer may have to make room for a new connection.
_SLOW_SECONDS: Final = 1.0
# How long a refusal is held back that says "too many": shorter than a client's patience, longer than a turn of a crowd.
_HELD_SECONDS: Final = 0.5


class State:
    """What connections may be in, and those that are, the one that has been there longest first.

    seconds: for which a connection may be in it. late: called with one that is in it for longer.
    """

    __slots__ = ("_late", "_loop", "_seconds", "members", "name")

    def __init__(self, name: str, seconds: float, late: Callable[[Connection], None]) -> None:
        self.name = name
        self.members: dict[Connection, float] = {}
        self._seconds = seconds
        self._late = late
        self._loop = asyncio.get_running_loop()

    def enter(self, connection: Connection) -> None:
        """Count a connection from now on."""
        self.members[connection] = self._loop.time()

    def leave(self, connection: Connection) -> None:
        """Count it no more."""
        del self.members[connection]

    def oldest(self, *, since: float = math.inf) -> Connection | None:
        """The connection that has been there for longest, if it has been since then."""
        for connection, entered_at in self.members.items():
            return connection if entered_at <= since else None
        return None

    def end_late(self, now: float) -> None:
        """Deal with those that have been there for too long."""
        late = []
        for connection, since in self.members.items():
            if now - since < self._seconds:
                break
            late.append(connection)
        for connection in late:
            try:
                self._late(connection)
            except Exception as error:  # noqa: BLE001  one connection's fault is not the others'
                log_failure(_log, error)
                connection.abort()


class OpenConnections:
    """What the connections share; a factory of them, as `loop.create_server` wants it.

    Made inside the running event loop. on_given_up: called for each connection that ends because there are too many.
    draining: whether the service is stopping.
    on_lost: called for each connection that has ended. on_refused: for each answer to what is no request.
    date: the header, with its line end.
    held_bytes: of unfinished requests, and of what was sent ahead.
    decompressing: clients that a long document is decompressed for.
    """

    def __init__(self, routes: Routes, bounds: Bounds, clock: Clock, on_given_up: Callable[[], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self.routes = routes
        self.draining = False
        self.on_lost: Callable[[], None] = _do_nothing
        self.on_refused: Callable[[Refusal], None] = _do_nothing
        self.held_bytes = 0
        self.decompressing = 0
        self.idle = State("idle", bounds.idle_seconds, Connection.close)
        self.head = State("head", bounds.head_seconds, Connection.time_out)
        self.body = State("body", bounds.body_seconds, Connection.end_body)
        self.answering = State("answering", float("inf"), Connection.abort)  # the queue has a bound of its own
        self.held = State("held", _HELD_SECONDS, Connection.release)
        self.untaken = State("untaken", bounds.answer_seconds, Connection.time_out)
        self.dropping = State("dropping", bounds.head_seconds, Connection.time_out)
        self.closing = State("closing", bounds.closing_seconds, Connection.abort)
        self._states = (
            self.idle,
            self.head,
            self.body,
            self.answering,
            self.held,
            self.untaken,
            self.dropping,
            self.closing,
        )
        self._bounds = bounds
        self._clock = clock
        self._on_given_up = on_given_up
        self._limit_logged_at = -_LOG_SECONDS
        self._set_date()
        self._look: asyncio.TimerHandle | None = None

    def __call__(self) -> Connection:
        """A connection that was just accepted."""
        return Connection(self)

    @property
    def count(self) -> int:
        """How many are open."""
        return sum(len(state.members) for state in self._states)

    def opened(self, connection: Connection) -> None:
        """Count a connection; where there are too many, another one ends, or this one."""
        self.head.enter(connection)
        if self.count > self._bounds.connections:
            self._give_one_up(connection)

    def lost(self, connection: Connection) -> None:
        """Count it no more."""
        for state in self._states:
            state.members.pop(connection, None)
        self.on_lost()

    def hold(self, size: int, *, own: int = 0) -> bool:
        """Count bytes; whether the connection may hold what it holds now.

        own: all bytes that it holds.
        """
        self.held_bytes += size
        return own <= self._bounds.small_bytes or self.held_bytes <= max(self._bounds.held_bytes, own)

    @property
    def may_decompress(self) -> bool:
        """Whether a long document may be decompressed for one more client."""
        return self.decompressing < self._bounds.decompressing

    def start(self) -> None:
        """Look for what lasts too long, from now until the drain's end."""
        if self._look is None:
            self._look_for_late()

    async def drain(self) -> None:
        """End every connection: after its answer where one is due, and after `drain_seconds` in any case."""
        self.draining = True
        for connection in list(self.held.members):
            connection.release()
        await self._until_none(_LAST_REQUESTS_SECONDS)
        self._for_all(Connection.drain)
        await self._until_none(self._bounds.drain_seconds)
        self._for_all(Connection.end_drain)
        await self._until_none(1.0)
        self._for_all(Connection.abort)
        await self._until_none(1.0)
        if self._look:
            self._look.cancel()

    async def _until_none(self, seconds: float) -> None:
        ends = self.loop.time() + seconds
        while self.count and self.loop.time() < ends:  # noqa: ASYNC110  an event per lost connection would cost more
            await asyncio.sleep(0.01)

    def _for_all(self, act: Callable[[Connection], None]) -> None:
        for connection in [connection for state in self._states for connection in state.members]:
            act(connection)

    def _give_one_up(self, newest: Connection) -> None:
        now = self.loop.time()
        if now >= self._limit_logged_at + _LOG_SECONDS:
            self._limit_logged_at = now
            _log.warning("connection_limit_reached", max_connections=self._bounds.connections)
        self._on_given_up()
        # The newest one is spared, for its request may be there already, as long as another one keeps a place for
        # nothing, or for a body that is slow.
        silent = (self.idle.oldest(), self.head.oldest(), self.dropping.oldest(), self.untaken.oldest())
        slow = self.body.oldest(since=now - _SLOW_SECONDS)
        others = [other for other in (*silent, slow) if other is not None and other is not newest]
        (others[0] if others else newest).close()

    def _look_for_late(self) -> None:
        self._look = self.loop.call_later(_LOOK_SECONDS, self._look_for_late)
        self._set_date()
        now = self.loop.time()
        for state in self._states:
            state.end_late(now)

    def _set_date(self) -> None:
        self.date = f"Date: {formatdate(self._clock.time(), usegmt=True)}\r\n".encode()


def _do_nothing(*_: object) -> None:
    """For what nobody counts."""
