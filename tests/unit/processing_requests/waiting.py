"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE: Final = 10.0


async def until(condition: Callable[[], object]) -> None:
    """Return when the condition holds; raises TimeoutError where it does not within 10 s."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  the condition is a look at memory, which tells nobody
            await asyncio.sleep(0.001)
