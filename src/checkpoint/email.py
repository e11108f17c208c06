"""The contract of an e-mail event: its fields, its bytes, its identity, the names of its object. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from checkpoint.json_text import has_duplicate_names, on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS: Final = ("email_subject", "email_sender", "email_timestream", "email_content")

# 20 digits hold every unsigned 64-bit number. Without a bound, "000…01" would pass as a date and make an object name
# that no store takes (255 bytes for a file, 1,024 for an S3 key): an e-mail accepted that could never be archived.
MAX_TIMESTREAM_DIGITS: Final = 20

# Up to here each integer is a double of its own, so that all readers of JSON agree about it (RFC 8259, 6). Beyond it a
# number with a fraction or an exponent may be decoded to a neighbour, whose digits are not those that were posted.
MAX_EXACT_NUMBER: Final = 2**53 - 1

# The most that MAX_REQUEST_BYTES may be, and so the longest e-mail that any intake accepts. A queue may take less.
MAX_BODY_BYTES: Final = 16 * 1024 * 1024

_SHORT_IDENTITY_DIGITS: Final = 16


class Fault(NamedTuple):
    """One thing wrong with an e-mail: where (an RFC 6901 pointer below the e-mail) and what, in a sentence."""

    pointer: str
    reason: str


class NotAnEmailError(ValueError):
    """The value is no e-mail; `faults` says why and never repeats the value."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.pointer or 'the value'} {fault.reason}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True)
class Email:
    """An e-mail that keeps the contract.

    timestream: seconds since 1970, the ASCII digits that were posted; for a number, those of the integer that it is.
    body: the bytes to queue and to archive: the posted JSON as it was written, on one line, in UTF-8.
    """

    timestream: str
    body: bytes = field(repr=False)

    @classmethod
    def accept(cls, text: bytes, data: object, *, latest: int) -> Email:
        """Check JSON that a client posted.

        text: the JSON in UTF-8, as it was posted. data: what it was decoded to.
        latest: seconds since 1970; an e-mail dated after it is refused.
        Raises NotAnEmailError with every fault at once.
        """
        faults, timestream = _check(data)
        if timestream and int(timestream) > latest:
            faults.append(Fault("/email_timestream", "is further in the future than the clock skew allows."))
        if has_duplicate_names(text, data):  # readers of the archive would disagree about which of them counts
            faults.append(Fault("", "must not have two members of one name in any object."))
        if faults:
            raise NotAnEmailError(*faults)
        return cls(timestream, on_one_line(text))

    @classmethod
    def read(cls, body: bytes) -> Email:
        """Check bytes that came from a queue, which anyone may write to.

        The date is not compared with a clock: what the intake accepted, no other clock may refuse. Nor are duplicate
        names: what is on the queue is kept if it can be.
        Raises NotAnEmailError.
        """
        if len(body) > MAX_BODY_BYTES:  # no intake sent it, and no object is held in memory to compare with it
            raise NotAnEmailError(Fault("", f"is longer than {MAX_BODY_BYTES} bytes."))
        try:
            data = msgspec.json.decode(body)
        except (ValueError, RecursionError):
            raise NotAnEmailError(Fault("", "is not JSON.")) from None
        faults, timestream = _check(data)
        if faults:
            raise NotAnEmailError(*faults)
        return cls(timestream, body)

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the body, 64 hexadecimal digits."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def names(self) -> Iterator[str]:
        """Object names in the order in which they are tried; the first that is free, or holds this e-mail, is its own.

        The third exists because 64 bits of a hash can be made to collide by someone who wants them to.
        """
        return object_names(self.timestream, self.identity)


def object_names(timestream: str, identity: str) -> Iterator[str]:
    """The names of `Email.names`, for an e-mail that is not at hand."""
    yield f"sqs_message_{timestream}.json"
    yield f"sqs_message_{timestream}_{identity[:_SHORT_IDENTITY_DIGITS]}.json"
    yield f"sqs_message_{timestream}_{identity}.json"


def _check(data: object) -> tuple[list[Fault], str]:
    """All faults that need no clock, and the timestream's digits, empty where it has none."""
    if not isinstance(data, dict):
        return [Fault("", "must be a JSON object with the e-mail's fields.")], ""
    faults = []
    timestream = ""
    for name in FIELDS:
        value = data.get(name)
        if name == "email_timestream":
            timestream = _digits(value)
            if not timestream:
                reason = "must be seconds since 1970: ASCII digits, at most 20, or an integer."
                faults.append(Fault(f"/{name}", reason))
        elif not value or not isinstance(value, str):
            reason = "must be a string that is not empty." if name in data else "is missing."
            faults.append(Fault(f"/{name}", reason))
    return faults, timestream


def _digits(value: object) -> str:
    """The timestream's digits, empty where the value is none.

    A number without a fraction is an integer, however it is written: 16103.0 and 1.6e4 are integers.
    https://json-schema.org/draft/2020-12/json-schema-validation#section-6.1.1
    """
    if type(value) is float and value.is_integer() and value <= MAX_EXACT_NUMBER:
        value = int(value)  # 0 for -0.0 too
    if type(value) is int:  # not isinstance: True is an int too
        value = str(value) if 0 <= value < 10**MAX_TIMESTREAM_DIGITS else ""
    if isinstance(value, str) and len(value) <= MAX_TIMESTREAM_DIGITS and value.isascii() and value.isdigit():
        return value
    return ""
