"""The contract of an e-mail event: its fields, its bytes, its identity, the names of its object. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS: Final = ("email_subject", "email_sender", "email_timestream", "email_content")

# 20 digits hold every unsigned 64-bit number. Without a bound, "000…01" would pass as a date and make an object name
# that no store takes (255 bytes for a file, 1,024 for an S3 key): an e-mail accepted that could never be archived.
MAX_TIMESTREAM_DIGITS: Final = 20

# The queue that Terraform makes takes 262,144 bytes per message (MaximumMessageSize), and so does every queue here.
MAX_BODY_BYTES: Final = 262_144

_SHORT_IDENTITY_DIGITS: Final = 16
_encoder: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False)


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

    timestream: seconds since 1970, ASCII digits as they were posted.
    body: the bytes to archive: the posted object as `json.dumps(data, ensure_ascii=False)` spaces it, in UTF-8.
    """

    timestream: str
    body: bytes = field(repr=False)

    @classmethod
    def accept(cls, data: object, *, latest: int) -> Email:
        """Check decoded JSON that a client posted.

        latest: seconds since 1970; an e-mail dated after it is refused.
        Raises NotAnEmailError with every fault at once.
        """
        faults, timestream = _check(data)
        if timestream and int(timestream) > latest:
            faults.append(Fault("/email_timestream", "is further in the future than the clock skew allows."))
        if faults:
            raise NotAnEmailError(*faults)
        return cls(timestream, encode(data))

    @classmethod
    def read(cls, body: bytes) -> Email:
        """Check bytes that came from a queue, which anyone may write to.

        The date is not compared with a clock: what the intake accepted, no other clock may refuse.
        Raises NotAnEmailError.
        """
        if len(body) > MAX_BODY_BYTES:  # the archive compares no more than this much of what it holds
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
        yield f"sqs_message_{self.timestream}.json"
        yield f"sqs_message_{self.timestream}_{self.identity[:_SHORT_IDENTITY_DIGITS]}.json"
        yield f"sqs_message_{self.timestream}_{self.identity}.json"


def encode(data: object) -> bytes:
    """Decoded JSON as the bytes that are queued and archived.

    U+FFFE and U+FFFF, which SQS refuses in a message, can stand only inside a JSON string and are escaped there:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    """
    text = _encoder.encode(data)
    if "\ufffe" in text or "\uffff" in text:
        text = text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
    return text.encode()


def _check(data: object) -> tuple[list[Fault], str]:
    """All faults that need no clock, and the timestream's digits, empty where it has none."""
    if not isinstance(data, dict):
        return [Fault("", "must be a JSON object with the e-mail's fields.")], ""
    faults = []
    timestream = ""
    for name in FIELDS:
        pointer, value = f"/{name}", data.get(name)
        if name == "email_timestream":
            timestream = _digits(value)
            if not timestream:
                faults.append(Fault(pointer, "must be seconds since 1970: ASCII digits, at most 20, or an integer."))
        elif name not in data:
            faults.append(Fault(pointer, "is missing."))
        elif not isinstance(value, str) or not value:
            faults.append(Fault(pointer, "must be a string that is not empty."))
    return faults, timestream


def _digits(value: object) -> str:
    if type(value) is int:  # not isinstance: True is an int too
        value = str(value) if 0 <= value < 10**MAX_TIMESTREAM_DIGITS else ""
    if isinstance(value, str) and len(value) <= MAX_TIMESTREAM_DIGITS and value.isascii() and value.isdigit():
        return value
    return ""
