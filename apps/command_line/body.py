"""A message's body, which may be no e-mail: what names it."""

from __future__ import annotations

import hashlib

import msgspec

from checkpoint.email import Email, NotAnEmailError


def identity_of(body: bytes) -> str:
    """The SHA-256 that names an e-mail, and a message that is none."""
    return hashlib.sha256(body).hexdigest()


def timestream_of(body: bytes) -> str:
    """The timestream of an e-mail; of what is none, the field as it is written, or empty."""
    try:
        return Email.read(body).timestream
    except NotAnEmailError:
        pass
    try:
        data = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return ""
    value = data.get("email_timestream") if isinstance(data, dict) else None
    return str(value) if isinstance(value, int | str) else ""
