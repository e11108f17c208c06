"""A broker for each test, in the state that it starts in, or proven: its circuit closed."""

from __future__ import annotations

import pytest

from unit.message_broker.running_broker import RunningBroker


@pytest.fixture(autouse=True)
def short_last_receives(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a stop the long poll of an idle queue is given up at once; a test of that waiting sets it as it is."""
    monkeypatch.setattr("message_broker.fetching._LAST_RECEIVES_SECONDS", 0.01)


@pytest.fixture
def broker() -> RunningBroker:
    return RunningBroker()
