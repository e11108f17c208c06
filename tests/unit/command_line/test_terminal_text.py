"""Text from e-mails on a terminal."""

from __future__ import annotations

import pytest

from command_line.terminal_text import harmless


@pytest.mark.parametrize("text", ["", "Happy new year!", "Grüße, 你好 🎉", "[red]no markup[/red]"])
def test_what_a_terminal_only_prints_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nb\tc\0", "a\\r\\nb\\tc\\x00"),
        ("\x9b31m", "\\x9b31m"),  # CSI in one character
        ("\u202egnp.exe", "\\u202egnp.exe"),  # writes from right to left
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),  # which no encoding can print
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert harmless(text) == shown
