from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from intake_bench import Bench, logged

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
async def bench() -> Bench:
    """An intake with the default settings over an empty queue."""
    return Bench()


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """What is logged during the test."""
    with logged() as entries:
        yield entries
