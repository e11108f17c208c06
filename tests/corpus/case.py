"""A case of the corpus: what a client sends over one connection, and what it must get."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Step(Enum):
    """What a client does beside sending."""

    READ = "wait for the next answer"
    END = "end the sending half"
    RESET = "reset the connection"


class Pause(NamedTuple):
    """Send nothing for a while."""

    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One answer.

    body: None where it matters to another test. closes: whether it says that the connection ends.
    headers: what it must have, by name in lower case. kept: the bytes that must then be on the queue.
    has_body: False for an answer to HEAD, and for 100.
    """

    status: int
    body: bytes | None = None
    closes: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: bytes | None = None
    has_body: bool = True

    def closing(self) -> Answer:
        """The same as a connection's last answer."""
        return replace(self, closes=True)

    def to_head(self) -> Answer:
        """The same to a HEAD request."""
        return replace(self, has_body=False)

    def saying(self, **headers: str) -> Answer:
        """The same with further headers."""
        return replace(self, headers={**self.headers, **{name.replace("_", "-"): headers[name] for name in headers}})


@dataclass(frozen=True, slots=True)
class Case:
    """A connection.

    name: a sentence. sends: the bytes of one write, and other steps; bytes alone are one write.
    answers: what must come. ends: whether the connection must end after them; None: as the last answer says.
    or_answers: what may come instead, where the name says why.
    gap_seconds: between single bytes; 0 sends each write as it is.
    """

    name: str
    sends: bytes | tuple[bytes | Step | Pause, ...]
    answers: tuple[Answer, ...] | Answer
    ends: bool | None = None
    or_answers: tuple[Answer, ...] | Answer | None = None
    gap_seconds: float = 0

    @property
    def steps(self) -> tuple[bytes | Step | Pause, ...]:
        """What is sent, step by step."""
        return (self.sends,) if isinstance(self.sends, bytes) else self.sends

    @property
    def outcomes(self) -> list[tuple[Answer, ...]]:
        """The answers that are right: in most cases there is one row of them."""
        rows = [self.answers] if self.or_answers is None else [self.answers, self.or_answers]
        return [(row,) if isinstance(row, Answer) else row for row in rows]

    def must_end(self, outcome: tuple[Answer, ...]) -> bool:
        """Whether the connection must be over after these answers."""
        return self.ends if self.ends is not None else not outcome or outcome[-1].closes

    @property
    def is_slow(self) -> bool:
        """Whether most of its time is spent waiting."""
        return bool(self.gap_seconds) or any(isinstance(step, Pause) for step in self.steps)


def kept(email: bytes) -> Answer:
    """200 for an e-mail, whose bytes are then on the queue."""
    identity = sha256(email).hexdigest()
    body = b'{"message": "Request processed successfully"}'
    return Answer(status=200, body=body, headers={"x-message-id": identity}, kept=email)
