"""A broker on the bench, for each test a new one."""

from __future__ import annotations

import pytest

from broker_bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
