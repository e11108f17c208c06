"""E-mails as clients post them, and the bytes that must be queued for them."""

from __future__ import annotations

import json
from typing import Final

TOKEN: Final = "foobar"
JSON: Final = {"Content-Type": "application/json"}


def email(**members: object) -> dict[str, object]:
    """The assignment's e-mail, with other or further members."""
    return {
        "email_subject": "Your Subject",
        "email_sender": "Your Sender",
        "email_timestream": "1706213694",
        "email_content": "Your Content",
        **members,
    }


def posted(data: object = None, token: object = TOKEN) -> bytes:
    """A request's body as a client would write it; the assignment's where nothing else is given."""
    return json.dumps({"data": email() if data is None else data, "token": token}).encode()


def queued(data: object) -> bytes:
    """The message that must be queued for it."""
    return json.dumps(data).encode()
