"""The states of the circuit breaker, and what each lets be received."""

from __future__ import annotations

import asyncio

import pytest

from message_broker.circuit_breaker import CircuitBreaker, State

DEADLINE = 5


class Backoffs:
    """Gives each backoff the length that a test says; `longest` is what each could have been."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.longest: list[float] = []

    def uniform(self, _: float, longest: float, /) -> float:
        self.longest.append(longest)
        return self.seconds


@pytest.fixture
def breaker() -> CircuitBreaker:
    """One whose backoffs do not end by themselves."""
    return CircuitBreaker(Backoffs(3600))


async def is_admitted(breaker: CircuitBreaker) -> int | None:
    """How many of ten messages may be received now; None: it waits."""
    admission = asyncio.create_task(breaker.admit(10))
    await asyncio.sleep(0)
    if admission.done():
        return await admission
    admission.cancel()
    return None


async def fail(breaker: CircuitBreaker, attempt: int = 0) -> asyncio.Task[None]:
    """Report a failure; gives what waits for the next attempt."""
    waiting = asyncio.create_task(breaker.open_and_wait(attempt))
    await asyncio.sleep(0)
    return waiting


async def test_it_starts_half_open_and_admits_one_message(breaker: CircuitBreaker) -> None:
    assert breaker.state is State.HALF_OPEN
    assert await is_admitted(breaker) == 1


async def test_half_open_it_admits_nothing_while_a_message_is_in_flight(breaker: CircuitBreaker) -> None:
    breaker.message_received()
    admission = asyncio.create_task(breaker.admit(10))
    await asyncio.sleep(0)
    assert not admission.done()
    breaker.message_ended()
    async with asyncio.timeout(DEADLINE):
        assert await admission == 1


async def test_closed_it_admits_what_is_wanted_whatever_is_in_flight(breaker: CircuitBreaker) -> None:
    breaker.message_received()
    breaker.close()
    assert await is_admitted(breaker) == 10


async def test_what_waits_for_admission_is_admitted_when_it_closes(breaker: CircuitBreaker) -> None:
    breaker.message_received()
    admission = asyncio.create_task(breaker.admit(10))
    await asyncio.sleep(0)
    breaker.close()
    async with asyncio.timeout(DEADLINE):
        assert await admission == 10


async def test_a_failure_opens_it_and_it_admits_nothing(breaker: CircuitBreaker) -> None:
    breaker.close()
    waiting = await fail(breaker)
    assert breaker.state is State.OPEN
    assert await is_admitted(breaker) is None
    waiting.cancel()


async def test_after_the_backoff_it_is_half_open() -> None:
    breaker = CircuitBreaker(Backoffs(0))
    breaker.close()
    await breaker.open_and_wait(0)
    assert breaker.state is State.HALF_OPEN


async def test_one_success_closes_it_and_all_who_wait_try_again_at_once(breaker: CircuitBreaker) -> None:
    waiting = [await fail(breaker, attempt) for attempt in range(3)]
    breaker.close()
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*waiting)
    assert breaker.state is State.CLOSED


async def test_a_failure_that_is_given_up_leaves_it_half_open(breaker: CircuitBreaker) -> None:
    waiting = await fail(breaker)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert breaker.state is State.HALF_OPEN


async def test_what_fails_alone_leaves_the_state_and_waits_whatever_others_do(breaker: CircuitBreaker) -> None:
    breaker.message_received()
    breaker.close()
    waiting = asyncio.create_task(breaker.wait_alone(3))
    await asyncio.sleep(0)
    assert breaker.state is State.CLOSED
    breaker.close()
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()


async def test_what_fails_alone_does_not_keep_a_half_open_circuit_from_being_tried(breaker: CircuitBreaker) -> None:
    breaker.message_received()
    waiting = asyncio.create_task(breaker.wait_alone(3))
    await asyncio.sleep(0)
    assert await is_admitted(breaker) == 1
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await is_admitted(breaker) is None


async def test_a_stop_ends_every_wait_and_there_is_none_after_it(breaker: CircuitBreaker) -> None:
    breaker.message_received()
    waiting = [await fail(breaker), asyncio.create_task(breaker.wait_alone(3))]
    await asyncio.sleep(0)
    breaker.stop()
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*waiting)
        await breaker.open_and_wait(9)
        await breaker.wait_alone(9)


async def test_backoffs_double_up_to_30_seconds() -> None:
    backoffs = Backoffs(0)
    breaker = CircuitBreaker(backoffs)
    for attempt in [*range(9), 2000]:
        await breaker.open_and_wait(attempt)
    assert backoffs.longest == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
