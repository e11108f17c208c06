"""Fixtures: both images, built from this checkout, and containers of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import pytest

from images.engine import Container, Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., Container]

REPOSITORY: Final = Path(__file__).parents[2]
BUILD: Final = (sys.executable, str(REPOSITORY / "dev/image.py"))
TAG: Final = os.environ.get("IMAGE_TAG", "dev")
INTAKE: Final = f"checkpoint-processing_requests:{TAG}"
BROKER: Final = f"checkpoint-messages_broker:{TAG}"


@pytest.fixture(scope="session")
def engine_command(cannot_run: Callable[[str], NoReturn]) -> str:
    found = subprocess.run([*BUILD, "engine"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        cannot_run(found.stderr.strip())
    return found.stdout.strip()


@pytest.fixture(scope="session")
def built(engine_command: str) -> str:
    """The command of the engine, once it has built both images."""
    building = subprocess.run(
        BUILD, env=os.environ | {"CONTAINER_ENGINE": engine_command}, capture_output=True, text=True, check=False
    )
    if building.returncode != 0:
        pytest.fail(f"{building.stdout[-5000:]}\n{building.stderr[-5000:]}", pytrace=False)
    return engine_command


@pytest.fixture
def engine(built: str) -> Iterator[Engine]:
    """The engine. At the end the logs of its containers are printed, for a test that failed, and they are removed."""
    engine = Engine(built)
    yield engine
    for container in engine.containers:
        sys.stdout.write(f"{container.id[:12]}:\n{container.log}")
    engine.remove_all()


@pytest.fixture
def data(engine: Engine) -> str:
    """The option of `run` that mounts one new volume for the data of both services."""
    return f"--volume={engine.volume()}:/srv/data"


@pytest.fixture
def start_intake(engine: Engine, data: str) -> Start:
    def start(*options: str) -> Container:
        intake = engine.start(INTAKE, data, "--env=TOKEN=foobar", "--publish=127.0.0.1::5001", *options)
        intake.wait_until_ready()
        return intake

    return start


@pytest.fixture
def start_broker(engine: Engine, data: str) -> Start:
    def start(*options: str) -> Container:
        broker = engine.start(BROKER, data, *options)
        broker.wait_until_ready()
        return broker

    return start
