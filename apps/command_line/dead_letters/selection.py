"""Which dead letters a command is about."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from command_line.body import timestream_of

if TYPE_CHECKING:
    from checkpoint.message_queue.admin import DeadLetter

_AGO: Final = re.compile(r"(?P<count>\d{1,6})(?P<unit>[smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Selection:
    """Those that agree with all that is said; everything where nothing is.

    ids: some of these. reason: its reason holds this text, in capitals or not. timestream: as its body has it.
    since, until: in seconds since 1970: when it was dead-lettered; where the queue does not say that, when it was sent.
    """

    ids: frozenset[str] = frozenset()
    reason: str = ""
    timestream: str = ""
    since: float | None = None
    until: float | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is said."""
        return self == Selection()

    def has(self, letter: DeadLetter) -> bool:
        """Whether a dead letter is one of them."""
        return (
            (not self.ids or letter.id in self.ids)
            and self.reason.casefold() in letter.reason.casefold()
            and self._is_of_its_time(letter)
            and (not self.timestream or timestream_of(letter.body) == self.timestream)
        )

    def _is_of_its_time(self, letter: DeadLetter) -> bool:
        if self.since is None and self.until is None:
            return True
        moment = moment_of(letter)
        return moment is not None and (self.since or 0) <= moment and (self.until is None or moment < self.until)


def moment_of(letter: DeadLetter) -> float | None:
    """When it was dead-lettered, or else when it was sent, in seconds since 1970; None where the queue says neither."""
    return letter.sent_at if letter.dead_at is None else letter.dead_at


def read_moment(text: str) -> float:
    """Seconds since 1970 of `30m`, `12h` or `7d` ago, or of a date and time as ISO 8601 has it, in local time.

    Raises typer.BadParameter.
    """
    if ago := _AGO.fullmatch(text):
        return time.time() - int(ago["count"]) * _SECONDS[ago["unit"]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (OverflowError, ValueError):
        raise typer.BadParameter("write 30m, 12h or 7d ago, or a time such as 2026-01-31T18:00") from None


Reason = Annotated[str, typer.Option(help="Those whose reason holds this text.")]
Timestream = Annotated[str, typer.Option(help="Those of e-mails with this timestream.")]
Since = Annotated[
    float | None, typer.Option(parser=read_moment, metavar="TIME", help="Dead-lettered since: 2h or 7d ago, or a time.")
]
Until = Annotated[float | None, typer.Option(parser=read_moment, metavar="TIME", help="Dead-lettered before.")]
