"""Which results say how a service is now."""

from __future__ import annotations

from random import Random

import pytest

from checkpoint.call_order import CallOrder


def test_a_success_and_a_failure_of_the_call_that_began_last_say_how_it_is() -> None:
    calls = CallOrder()
    assert calls.succeeded(calls.now())
    assert calls.failed(calls.now())
    assert calls.succeeded(calls.now())


def test_a_failure_of_a_call_that_began_before_one_that_succeeded_says_nothing() -> None:
    calls = CallOrder()
    old, new = calls.now(), calls.now()
    assert calls.succeeded(new)
    assert not calls.failed(old)
    assert calls.succeeded(calls.now())


def test_a_success_of_a_call_that_began_before_a_failure_came_says_nothing() -> None:
    calls = CallOrder()
    first, second = calls.now(), calls.now()
    assert calls.failed(first)
    assert not calls.succeeded(second)
    assert calls.succeeded(calls.now())


@pytest.mark.parametrize("seed", range(50))
def test_calls_that_hung_begin_an_outage_once_and_end_it_once_in_whatever_order_they_end(seed: int) -> None:
    random = Random(seed)
    calls = CallOrder()
    hung = [(calls.now(), random.random() < 0.5) for _ in range(100)]
    random.shuffle(hung)
    assert calls.failed(calls.now())
    said = ["unavailable"]
    for number, (began, succeeds) in enumerate(hung):
        if calls.succeeded(began) if succeeds else calls.failed(began):
            said.append("available" if succeeds else "unavailable")
        if number > 50 and calls.succeeded(calls.now()):  # the outage is over
            said.append("available")
    changes = [now for before, now in zip([None, *said], said, strict=False) if now != before]
    assert changes == ["unavailable", "available"]
