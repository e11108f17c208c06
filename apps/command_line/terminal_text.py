"""Text from outside, made harmless for a terminal."""

from __future__ import annotations

import unicodedata
from typing import Final

# Control and format characters move the cursor, change colours or the direction of writing, or cannot be printed.
# https://www.unicode.org/reports/tr44/#General_Category_Values
_HARMFUL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def harmless(text: str) -> str:
    r"""The text on one line, with `\x1b` and the like in place of what a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _HARMFUL:
        return character
    return character.encode("unicode_escape").decode()
