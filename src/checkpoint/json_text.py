"""JSON text as somebody wrote it: on one line, and whether a name stands twice in an object of it."""

from __future__ import annotations

import json
from typing import Final

_U_FFFE: Final = "\ufffe".encode()
_U_FFFF: Final = "\uffff".encode()


def on_one_line(text: bytes) -> bytes:
    r"""The same JSON on one line, in characters that SQS takes; nothing else of it changes.

    text: valid JSON in UTF-8. There a raw line break stands only between tokens, where it becomes a space. U+FFFE and
    U+FFFF stand only in strings, where they become the escapes `\ufffe` and `\uffff`:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    """
    text = text.replace(b"\n", b" ").replace(b"\r", b" ")
    return text.replace(_U_FFFE, rb"\ufffe").replace(_U_FFFF, rb"\uffff")


def has_duplicate_names(text: bytes, value: object) -> bool:
    r"""Whether an object anywhere in a JSON text has two members of one name (RFC 8259, 4).

    text: valid JSON. value: what it was decoded to, where of such members the last counts.
    """
    # Each member has one colon of its own; all others stand in strings, as themselves or as the escape \u003a. So
    # counting tells as much as parsing the text once more does, in a tenth of the time.
    colons = text.count(b":")
    if isinstance(value, dict) and len(value) == colons:  # most e-mails: none is left for a second member of a name
        return False
    if rb"\u003" not in text:
        return colons != _colons(value)
    try:
        json.loads(text, object_pairs_hook=_refuse_duplicates, parse_int=str, parse_float=str)
    except _DuplicateNameError:
        return True
    return False


class _DuplicateNameError(Exception):
    pass


def _refuse_duplicates(members: list[tuple[str, object]]) -> None:
    if len({name for name, _ in members}) != len(members):
        raise _DuplicateNameError


def _colons(value: object) -> int:
    """How many colons a value's text has if no name stands twice in an object, and no colon is escaped."""
    if isinstance(value, str):
        return value.count(":")
    if isinstance(value, dict):
        return len(value) + sum(map(_colons, value)) + sum(map(_colons, value.values()))
    return sum(map(_colons, value)) if isinstance(value, list) else 0
