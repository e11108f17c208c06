"""Waiting for what is about to happen: until it has, never for a fixed time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_SECONDS: Final = 0.005


def until(holds: Callable[[], object], what: str, *, within: float = 60) -> None:
    """Return when the condition holds; fail the test, naming it, where it does not within so many seconds."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"After {within:g} s it does not hold that {what}.")
        time.sleep(_LOOK_SECONDS)
