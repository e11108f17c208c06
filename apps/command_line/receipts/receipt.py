"""A receipt: one line of JSON for an e-mail that an intake has answered with 200, and so keeps."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from checkpoint.email import Email

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Md5 = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Timestream = Annotated[str, Meta(pattern="^[0-9]{1,20}$")]


class Receipt(msgspec.Struct, frozen=True):
    """What was confirmed.

    identity: the SHA-256 of the bytes to archive, in hexadecimal digits; the intake's header X-Message-Id.
    timestream: the e-mail's. md5: of the same bytes. size: how many they are. time: of the answer.
    """

    identity: Sha256
    timestream: Timestream
    md5: Md5
    size: Annotated[int, Meta(ge=1)]
    time: datetime

    @classmethod
    def of(cls, email: Email, seconds: float) -> Receipt:
        """The receipt of an e-mail. seconds: when it was confirmed, since 1970."""
        return cls(
            identity=email.identity,
            timestream=email.timestream,
            md5=hashlib.md5(email.body, usedforsecurity=False).hexdigest(),
            size=len(email.body),
            time=datetime.fromtimestamp(seconds, UTC),
        )


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Receipt)


def encode(receipt: Receipt) -> bytes:
    """Its line."""
    return _encoder.encode(receipt) + b"\n"


def decode(line: bytes) -> Receipt:
    """The receipt of a line; members besides are passed over. Raises ValueError where it is none."""
    try:
        return _decoder.decode(line)
    except (ValueError, RecursionError):
        raise ValueError("is not a receipt.") from None
