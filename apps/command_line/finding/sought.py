"""What an operator looks for: an e-mail by its receipt, its identity or its timestream."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import msgspec

from command_line.body import identity_of, timestream_of
from command_line.running import CommandError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDENTITY: Final = re.compile("[0-9a-f]{64}")
_FIRST_DIGITS: Final = re.compile("[0-9a-f]{1,64}")
_TIMESTREAM: Final = re.compile("[0-9]{1,20}")
_LONGEST_FILE: Final = 65_536  # a receipt is one line; a file of many is for `reconcile`


class _Receipt(msgspec.Struct):
    """As `checkpoint post` writes it; other members are passed over."""

    identity: str
    timestream: str


@dataclass(frozen=True, slots=True)
class Sought:
    """E-mails that have this timestream and an identity that begins so; either may be empty, not both."""

    timestream: str = ""
    identity: str = ""

    @classmethod
    def read(cls, what: str, first_digits: str | None) -> Self:
        """Read the arguments of `find`. Raises CommandError."""
        identity = (first_digits or "").lower()
        if first_digits is not None and not _FIRST_DIGITS.fullmatch(identity):
            raise _misused("ID is the identity of an e-mail, or its first digits: hexadecimal, 64 at most.")
        if _TIMESTREAM.fullmatch(what):
            return cls(what, identity)
        if first_digits is not None:
            raise _misused("ID stands behind a timestream alone: up to 20 digits.")
        if _IDENTITY.fullmatch(what.lower()):
            return cls("", what.lower())
        return cls._of_receipt(what.encode(errors="replace") if what.lstrip().startswith("{") else _content(what))

    @classmethod
    def _of_receipt(cls, line: bytes) -> Self:
        if len(line.strip().splitlines()) > 1:
            raise _misused("there is more than one receipt; `checkpoint reconcile` looks for many.")
        try:
            receipt = msgspec.json.decode(line, type=_Receipt)
        except (ValueError, RecursionError):
            receipt = _Receipt("", "")
        if not _IDENTITY.fullmatch(receipt.identity) or not _TIMESTREAM.fullmatch(receipt.timestream):
            raise _misused(
                "that is no receipt, no identity (64 hexadecimal digits) and no timestream (up to 20 digits)."
            )
        return cls(receipt.timestream, receipt.identity)

    @property
    def prefixes(self) -> Iterator[str]:
        """What the names of its objects begin with: see `Email.names`."""
        if not self.timestream:
            yield "sqs_message_"
            return
        yield f"sqs_message_{self.timestream}."
        yield f"sqs_message_{self.timestream}_"

    def may_be_under(self, name: str) -> bool:
        """Whether an object's name may be the e-mail's; only the object's bytes tell for certain."""
        found = re.fullmatch(r"sqs_message_([0-9]{1,20})(?:_([0-9a-f]{16}|[0-9a-f]{64}))?\.json", name)
        if not found or (self.timestream and found[1] != self.timestream):
            return False
        digits = found[2] or ""
        return digits.startswith(self.identity) or self.identity.startswith(digits)

    def matches(self, body: bytes) -> bool:
        """Whether these are its bytes; also those of a message that is no e-mail, and so may be dead-lettered."""
        if self.identity and not identity_of(body).startswith(self.identity):
            return False
        return not self.timestream or timestream_of(body) == self.timestream


def _content(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(_LONGEST_FILE)
    except (OSError, ValueError):
        return b""


def _misused(reason: str) -> CommandError:
    return CommandError(reason, ExitCode.MISUSED)
