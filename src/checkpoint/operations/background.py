"""Work that goes on beside a service's own, for as long as that takes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine


@asynccontextmanager
async def in_background(*chores: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run coroutines while the body runs, and cancel those that have not ended after it.

    One that fails ends the body too, and its error is raised: a service must not seem alive with a part of it dead.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(chore) for chore in chores]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as failed:
        error: BaseException = failed
        while isinstance(error, BaseExceptionGroup):  # a coroutine may have a group of its own
            error = error.exceptions[0]
        raise error from None
