"""What posts need of an intake: one request, one answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class NoAnswerError(Exception):
    """The intake did not answer: no connection, a broken one, or nothing within a minute. Its text says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an intake answered.

    identity: of the e-mail that it confirms; empty without one. reason: why it does not, on one line.
    retry_after: seconds that it asks to wait; 0 where it asks for none.
    """

    status: int
    identity: str = ""
    reason: str = ""
    retry_after: float = 0


class Intake(Protocol):
    """What posts need of an intake."""

    async def post(self, text: bytes) -> Answer:
        """Post an e-mail. text: its JSON. Raises NoAnswerError; CommandError where no other post would fare better."""
        ...
