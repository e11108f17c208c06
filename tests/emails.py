"""E-mails for tests."""

from __future__ import annotations

import json

from checkpoint.email import Email


def email(content: str = "Your Content", *, timestream: str = "1706213694") -> Email:
    """An e-mail like the assignment's."""
    return Email.read(body(content, timestream=timestream))


def body(content: str = "Your Content", *, timestream: str = "1706213694") -> bytes:
    """Its bytes."""
    data = {
        "email_subject": "Your Subject",
        "email_sender": "Your Sender",
        "email_timestream": timestream,
        "email_content": content,
    }
    return json.dumps(data, ensure_ascii=False).encode()
