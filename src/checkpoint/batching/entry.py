"""An item that waits for its outcome, and the ends that it may come to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class OverloadedError(Exception):
    """More is waiting than the bound allows."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item has no outcome.

    error: what its call raised; TimeoutError where it has waited for too long; CancelledError where the loop is ending.
    """

    error: BaseException


@dataclass(eq=False, slots=True)
class Entry(Generic[Item, Outcome]):
    """An item that waits, or whose call is under way.

    done: None once it was called, or where nobody waits any longer. put_at: by the loop's clock.
    """

    item: Item
    size: int
    done: Callable[[Outcome | Failure], None] | None
    put_at: float
    lingers: bool


def settle(future: asyncio.Future[Outcome], outcome: Outcome | Failure) -> None:
    """Give a future the outcome, unless nobody waits for it any longer."""
    if future.done():
        return
    if not isinstance(outcome, Failure):
        future.set_result(outcome)
    elif isinstance(outcome.error, asyncio.CancelledError):
        future.cancel()
    else:
        future.set_exception(outcome.error)
