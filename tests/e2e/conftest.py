from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.marked import SECRETS
from e2e.on_aws import OnAWS
from e2e.one_machine import OneMachine
from e2e.services import Services

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from e2e.worlds import World
    from emulator import Emulator


@pytest.fixture
def one_machine(tmp_path: Path) -> OneMachine:
    return OneMachine(tmp_path)


@pytest.fixture
def on_aws(emulator: Emulator) -> Iterator[OnAWS]:
    world = OnAWS(emulator)
    with world.running():
        yield world


@pytest.fixture(params=["one_machine", "on_aws"])
def world(request: pytest.FixtureRequest) -> World:
    """The rows of every test that asks for it."""
    found: World = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def services(world: World, tmp_path: Path) -> Iterator[Services]:
    """Starts services in the world; at the end none is left running, and none has logged a secret, at debug."""
    started = Services(world.environment, tmp_path)
    try:
        yield started
    finally:
        started.kill_all()
    for service in started.all:
        for secret in SECRETS:
            assert secret not in service.log, f"{service.program} logged a secret"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the services said in a test that failed."""
    report = yield
    services = getattr(item, "funcargs", {}).get("services")
    if report.failed and isinstance(services, Services):
        for service in services.all:
            report.sections.append((f"log of {service.program}", service.log[-5000:]))
    return report
