"""Starts a program that is to be killed at a step of its own: `python -m chaos.stepped message_broker`.

It wraps what the program calls, before the program is loaded; the program itself knows nothing of it. The environment
says the step, how many seconds after the start it counts, and how often it passes before.
"""

from __future__ import annotations

import os
import re
import runpy
import signal
import sqlite3
import sys
import threading
import time
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

STEP: Final = "CHAOS_STEP"
AFTER_SECONDS: Final = "CHAOS_STEP_AFTER_SECONDS"
PASSES: Final = "CHAOS_STEP_PASSES"

# The methods of the queue's two halves, and the first word of their steps. After: it has happened, and nobody knows.
_SENDING: Final = {"send": "queue_send", "probe": "queue_probe"}
_RECEIVING: Final = {
    "receive": "receive",
    "delete": "delete",
    "change_visibility": "change_visibility",
    "dead_letter": "dead_letter",
}
_STORE: Final = {"create": "object_create", "holder": "object_compare"}
# By what a transaction of the SQLite queue does, what its commit is called: by the first of several, but for one.
_OF_SEVERAL: Final = "dead_letter_commit"
_COMMITS: Final = (
    (re.compile(r"\s*INSERT INTO messages", re.IGNORECASE), "send_commit"),
    (re.compile(r"\s*INSERT INTO dead_letters", re.IGNORECASE), _OF_SEVERAL),
    (re.compile(r"\s*DELETE FROM messages", re.IGNORECASE), "delete_commit"),
    (re.compile(r"\s*(UPDATE messages SET.*receive_count|REPLACE INTO long)", re.IGNORECASE), "receive_commit"),
    (re.compile(r"\s*UPDATE \w+ SET visible_at = \?, hidden_for", re.IGNORECASE), "change_visibility_commit"),
)
_FILES: Final = {"link": "object_linked", "fsync": "synced", "unlink": "staging_unlinked"}


def _both(words: Mapping[str, str] | tuple[tuple[Any, str], ...]) -> list[str]:
    named = words.values() if not isinstance(words, tuple) else [word for _, word in words]
    return [f"{when}_{word}" for word in named for when in ("before", "after")]


# By program: the steps of any world, then those of the embedded one.
STEPS: Final = {"processing_requests": _both(_SENDING), "message_broker": _both(_RECEIVING) + _both(_STORE)}
EMBEDDED_STEPS: Final = {
    "processing_requests": _both(_COMMITS[:1]),
    "message_broker": _both(_COMMITS[1:]) + _both(_FILES),
}


class Death:
    """Kills this process when it passes a step for the given time."""

    def __init__(self, step: str, *, after_seconds: float, passes: int) -> None:
        self._step = step
        self._from = time.monotonic() + after_seconds
        self._passes = passes
        self._lock = threading.Lock()

    def passed(self, step: str) -> None:
        """Say that a step is reached, in whichever thread."""
        if step != self._step or time.monotonic() < self._from:
            return
        with self._lock:
            if self._passes <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self._passes -= 1


def _step_around(wrapped: Any, words: Mapping[str, str], death: Death) -> None:
    """Make some methods of an object, which are coroutines, steps; it stays of its class, with all else that it has."""

    def step(name: str, word: str) -> Callable[..., Any]:
        method = getattr(type(wrapped), name)

        async def stepped(*arguments: Any, **named: Any) -> Any:
            death.passed(f"before_{word}")
            result = await method(*arguments, **named)
            death.passed(f"after_{word}")
            return result

        return stepped

    methods = {name: step(name, word) for name, word in words.items()}
    kind = type(wrapped)
    wrapped.__class__ = type(kind.__name__, (kind,), {"__slots__": (), **methods})


def _around(function: Callable[..., Any], word: str, death: Death) -> Callable[..., Any]:
    def step(*arguments: Any, **named: Any) -> Any:
        death.passed(f"before_{word}")
        result = function(*arguments, **named)
        death.passed(f"after_{word}")
        return result

    return step


def _opening(
    open_: Callable[..., AbstractAsyncContextManager[Any]], words: Mapping[str, str], death: Death
) -> Callable[..., AbstractAsyncContextManager[Any]]:
    @asynccontextmanager
    async def opened(*arguments: Any, **named: Any) -> AsyncIterator[Any]:
        async with open_(*arguments, **named) as queue:
            _step_around(queue, words, death)
            yield queue

    return opened


class _Connection(sqlite3.Connection):
    """A connection whose commits are steps, each called by what its transaction did."""

    death: Death
    word = ""

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or _Cursor)

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql.startswith(("BEGIN", "ROLLBACK")):
            self.word = ""
        self.named(sql)
        if not self.word or (self.in_transaction and sql != "COMMIT"):  # one statement alone is a transaction
            return super().execute(sql, *parameters)
        word, self.word = self.word, ""
        self.death.passed(f"before_{word}")
        result = super().execute(sql, *parameters)
        self.death.passed(f"after_{word}")
        return result

    def executemany(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        self.named(sql)
        return super().executemany(sql, *parameters)

    def named(self, sql: str) -> None:
        """Remember what the transaction is called, if this statement says it."""
        word = next((word for pattern, word in _COMMITS if pattern.match(sql)), "")
        if not self.word or word == _OF_SEVERAL:
            self.word = word or self.word


class _Cursor(sqlite3.Cursor):
    connection: _Connection

    def execute(self, sql: str, *parameters: Any) -> Any:
        self.connection.named(sql)
        return super().execute(sql, *parameters)

    def executemany(self, sql: str, *parameters: Any) -> Any:
        self.connection.named(sql)
        return super().executemany(sql, *parameters)


def connection_class(death: Death) -> type[sqlite3.Connection]:
    """For `sqlite3.connect`."""
    return type("Connection", (_Connection,), {"death": death})


def arm(program: str, death: Death) -> None:
    """Wrap what the program will call."""
    from checkpoint.message_queue import adapters as queues  # noqa: PLC0415  after the command line is read

    sqlite3.connect = partial(sqlite3.connect, factory=connection_class(death))  # type: ignore[assignment] # it has overloads
    if program == "processing_requests":
        queues.open_sending = _opening(queues.open_sending, _SENDING, death)
        return
    queues.open_receiving = _opening(queues.open_receiving, _RECEIVING, death)
    from checkpoint.archive.archive import Archive  # noqa: PLC0415  the intake must not load it

    wire = Archive.__init__

    def wire_stepped(self: Archive, store: Any) -> None:
        _step_around(store, _STORE, death)
        wire(self, store)

    Archive.__init__ = wire_stepped  # type: ignore[method-assign]
    for name, word in _FILES.items():
        setattr(os, name, _around(getattr(os, name), word, death))


def main() -> None:
    """Start the program that the one argument names."""
    program = sys.argv.pop(1)
    if step := os.environ.get(STEP):
        after = float(os.environ.get(AFTER_SECONDS, "0"))
        arm(program, Death(step, after_seconds=after, passes=int(os.environ.get(PASSES, "0"))))
    runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
