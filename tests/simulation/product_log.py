"""What the services log: a line of the trace in a replay; otherwise only what no history may have is looked at."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NoReturn

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from simulation.world import World

_worlds: list[World] = []


def configure(*, is_replay: bool) -> None:
    """Log no more than is looked at: it takes most of the time otherwise. For the whole process."""
    structlog.configure(
        processors=[_take],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if is_replay else logging.ERROR),
        cache_logger_on_first_use=True,
    )


def hand_to(world: World) -> None:
    """Hand the log to this world from now on."""
    _worlds[:] = [world]


def _take(_logger: object, method: str, event: MutableMapping[str, Any]) -> NoReturn:
    if _worlds:
        world = _worlds[0]
        try:
            who = getattr(asyncio.get_running_loop(), "name", "")
        except RuntimeError:  # what is buried says something
            raise structlog.DropEvent from None
        name = event.pop("event")
        if name == "unexpected_error":  # the product's own word for what nobody foresaw
            world.error(f"{who}: unexpected error {event.get('error')} at {event.get('at')}")
        elif world.trace.is_read:
            world.trace(who, f"log {method}: {name} {' '.join(f'{key}={value}' for key, value in event.items())}")
    raise structlog.DropEvent
