"""E-mails that no log may repeat, and the objects that they must become: the rules once more, by other means."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# What no log may hold: this in every marked e-mail and token, the assignment's token, the assignment's e-mail.
MARK: Final = "marked#"
SECRETS: Final = (MARK, "foobar", "Your Subject", "Your Sender", "Your Content")
_FIRST_TIMESTREAM: Final = 1_706_213_694


def marked(number: int, *, timestream: int = 0) -> dict[str, Any]:
    """An e-mail unlike that of any other number."""
    return {
        "email_subject": f"{MARK} subject {number}",
        "email_sender": f"{MARK} Zoë <zoe@example.org>",
        "email_timestream": str(_FIRST_TIMESTREAM + timestream),
        "email_content": f'{MARK} content {number}: "quoted", naïve, 日本語, \U0001f4e7',
    }


def endless() -> Iterator[dict[str, Any]]:
    """Marked e-mails, three in a second."""
    return (marked(number, timestream=number // 3) for number in count())


def body(data: dict[str, Any]) -> bytes:
    """The bytes to archive."""
    return json.dumps(data, ensure_ascii=False).encode()


def md5(content: bytes) -> str:
    """As S3 names an object's content in its ETag."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def assert_exactly(objects: Mapping[str, str], emails: Iterable[dict[str, Any]]) -> None:
    """Each different e-mail is one object: one of a timestream under the plain name, the others by their identity.

    objects: MD5 of the content, by name.
    """
    bodies_by_timestream = defaultdict(set)
    for data in emails:
        bodies_by_timestream[data["email_timestream"]].add(body(data))
    expected = {}
    for timestream, bodies in bodies_by_timestream.items():
        plain = f"sqs_message_{timestream}.json"
        first = objects.get(plain)
        assert first in {md5(each) for each in bodies}, f"{plain} is missing, or holds what nobody posted"
        expected[plain] = first
        for each in bodies:
            if md5(each) != first:
                expected[f"sqs_message_{timestream}_{hashlib.sha256(each).hexdigest()[:16]}.json"] = md5(each)
    assert objects == expected
