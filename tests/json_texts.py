"""JSON in the many ways in which it can be written, for Hypothesis."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

# Few names and characters, so that names meet, and colons stand where they do not part a name from its value.
TEXT = st.text(st.sampled_from(':a\\u03"\ufffe\uffff\U0001f600\n'), max_size=3)
SPACE = st.sampled_from(["", " ", "\n", "\r\n", "\t"])


@st.composite
def written(draw: st.DrawFn, depth: int = 3) -> str:
    """JSON as somebody may write it: any escapes, any space between tokens, any name as often as they like."""
    kind = draw(st.sampled_from(["text", "number", "object", "list"] if depth else ["text", "number"]))
    if kind == "text":
        return draw(string())
    if kind == "number":
        return draw(st.sampled_from(["1.10", "1e2", "-0", "123456789012345678901234567890", "true", "null"]))
    inner = draw(st.lists(written(depth - 1), max_size=3))
    if kind == "object":
        names = [draw(string()) for _ in inner]
        inner = [draw(SPACE).join([name, ":", value]) for name, value in zip(names, inner, strict=True)]
    between = draw(SPACE) + "," + draw(SPACE)
    opening, closing = "{}" if kind == "object" else "[]"
    return opening + draw(SPACE) + between.join(inner) + draw(SPACE) + closing


@st.composite
def string(draw: st.DrawFn) -> str:
    """A string in which each character is itself, or an escape."""
    return '"' + "".join(draw(st.sampled_from(spellings(character))) for character in draw(TEXT)) + '"'


def spellings(character: str) -> list[str]:
    if ord(character) > 0xFFFF:
        return [character, json.dumps(character)[1:-1]]
    escapes = [f"\\u{ord(character):04x}", f"\\u{ord(character):04X}"]
    return [*escapes, json.dumps(character)[1:-1]] if character in '"\\\n' else [*escapes, character]


def names_of_one_object_are_distinct(text: str) -> bool:
    """Whether no object in it has two members of one name."""
    distinct = True

    def look(members: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal distinct
        distinct = distinct and len(dict(members)) == len(members)
        return dict(members)

    json.loads(text, object_pairs_hook=look)
    return distinct
