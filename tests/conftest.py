from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest_plugins = ["emulator", "not_run", "contract.clouds"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--asked-for",
        action="store_true",
        help="where this machine lacks what a test needs, end with an error instead of skipping the test",
    )


@pytest.fixture(scope="session")
def cannot_run(pytestconfig: pytest.Config) -> Callable[[str], NoReturn]:
    """Skips a test, with the reason; ends the whole run with it where the test's target was asked for by name."""

    def stop(reason: str) -> NoReturn:
        if pytestconfig.getoption("--asked-for"):
            pytest.exit(reason, returncode=1)
        pytest.skip(reason)

    return stop


@pytest.fixture(autouse=True)
def logging_as_by_default() -> Iterator[None]:
    """A program that is run in this process sends its logs where they belong, and that is over with the test."""
    yield
    structlog.reset_defaults()
