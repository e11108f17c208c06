"""Fixtures: AWS as an emulator (ministack) shows it, over real HTTP on a free loopback port, one a test session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from emulator_process import REGION, Emulator, running_emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["REGION", "Emulator", "aws", "emulator"]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The session's emulator; tests share it and so name their queues, buckets and parameters uniquely."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def aws(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator, with this process's environment pointing to it for the length of a test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    return emulator
