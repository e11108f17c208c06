from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import structlog
import uvloop

from unit.processing_requests.intake import Intake

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that the intake runs on: another one tells its protocols other things, or at other times."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def intake() -> Intake:
    """An intake with the default settings over an empty queue."""
    return Intake()


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """Every line that Checkpoint logs during the test, at any level, whatever the logging was set to before."""
    configuration = structlog.get_config()
    captured = structlog.testing.LogCapture()
    try:
        structlog.configure(
            processors=[captured],
            wrapper_class=structlog.make_filtering_bound_logger(0),
            cache_logger_on_first_use=False,
        )
        yield captured.entries
    finally:
        structlog.configure(**configuration)
