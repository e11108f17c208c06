"""The states of the circuit breaker, what leads to each, and what each lets be received."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

import pytest
from structlog.testing import capture_logs

from checkpoint.archive.archive import NamesTakenError
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.message_queue.port import QueueUnavailableError
from checkpoint.operations.health import Health
from message_broker.backoff import backoff_seconds
from message_broker.circuit_breaker import (
    ARCHIVE,
    QUEUE,
    CircuitBreaker,
    FailsAloneError,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE = 5
ERRORS = {ARCHIVE: ArchiveUnavailableError("away"), QUEUE: QueueUnavailableError("away")}


class AnsweredOtherwiseError(Exception):
    """What a service answers where it does not do what it was asked to do."""


class Backoffs:
    """Gives each backoff the length that a test says; `longest` is what each could have been."""

    def __init__(self) -> None:
        self.seconds = 3600.0
        self.longest: list[float] = []

    def uniform(self, _: float, longest: float, /) -> float:
        self.longest.append(longest)
        return self.seconds


class Call:
    """A message's call to a service, each attempt of which ends when and how a test says."""

    def __init__(self, breaker: CircuitBreaker, service: str) -> None:
        self.attempts = 0
        self._error = ERRORS[service]
        self._answer: asyncio.Future[str] | None = None
        self.task = asyncio.create_task(
            breaker.until_available(service, self._attempt, message_id="id", answers=(AnsweredOtherwiseError,))
        )

    async def _attempt(self) -> str:
        self.attempts += 1
        self._answer = asyncio.get_running_loop().create_future()
        return await self._answer

    async def begun(self, attempts: int = 1) -> Self:
        async with asyncio.timeout(DEADLINE):
            while self.attempts < attempts or self._answer is None or self._answer.done():  # noqa: ASYNC110  as settle
                await asyncio.sleep(0)
        return self

    async def fails(self) -> Self:
        assert self._answer
        self._answer.set_exception(self._error)
        await settle()
        return self

    async def is_answered_otherwise(self) -> None:
        assert self._answer
        self._answer.set_exception(AnsweredOtherwiseError)
        with pytest.raises(AnsweredOtherwiseError):
            await self.task

    async def succeeds(self) -> None:
        assert self._answer
        self._answer.set_result("done")
        async with asyncio.timeout(DEADLINE):
            assert await self.task == "done"


async def settle() -> None:
    """Let every task go on to its next wait."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def backoffs() -> Backoffs:
    """They do not end by themselves, unless a test makes them short."""
    return Backoffs()


@pytest.fixture
def health() -> Health:
    return Health(untried=[QUEUE], assumed_healthy=[ARCHIVE])


@pytest.fixture
def breaker(health: Health, backoffs: Backoffs) -> Iterator[CircuitBreaker]:
    breaker = CircuitBreaker(
        health=health, random=backoffs, most_outside_trials=2, most_failing_alone=2, on_retry=lambda _: None
    )
    yield breaker
    breaker.stop()


async def close(breaker: CircuitBreaker) -> None:
    """A put and a delete that succeed."""
    for service in (ARCHIVE, QUEUE):
        await (await Call(breaker, service).begun()).succeeds()
    assert breaker.state is State.CLOSED


async def admitted(breaker: CircuitBreaker) -> int | None:
    """How many of ten messages may be received now; None: it waits."""
    admission = asyncio.create_task(breaker.admit(10))
    await settle()
    if admission.done():
        return await admission
    admission.cancel()
    return None


async def test_it_starts_half_open_and_admits_one_message(breaker: CircuitBreaker) -> None:
    assert breaker.state is State.HALF_OPEN
    assert await admitted(breaker) == 1


async def test_half_open_it_admits_nothing_while_a_message_is_in_flight(breaker: CircuitBreaker) -> None:
    breaker.trial_began()
    admission = asyncio.create_task(breaker.admit(10))
    await settle()
    assert not admission.done()
    breaker.trial_ended()
    async with asyncio.timeout(DEADLINE):
        assert await admission == 1


async def test_at_the_start_a_put_alone_does_not_close_it_and_neither_does_a_delete(breaker: CircuitBreaker) -> None:
    await (await Call(breaker, ARCHIVE).begun()).succeeds()
    assert breaker.state is State.HALF_OPEN
    await (await Call(breaker, QUEUE).begun()).succeeds()
    assert breaker.state.value == "closed"


async def test_closed_it_admits_what_is_wanted_whatever_is_in_flight(breaker: CircuitBreaker) -> None:
    breaker.trial_began()
    await close(breaker)
    assert await admitted(breaker) == 10


async def test_what_waits_for_admission_is_admitted_when_it_closes(breaker: CircuitBreaker) -> None:
    breaker.trial_began()
    admission = asyncio.create_task(breaker.admit(10))
    await settle()
    await close(breaker)
    async with asyncio.timeout(DEADLINE):
        assert await admission == 10


@pytest.mark.parametrize("service", [ARCHIVE, QUEUE])
async def test_a_failure_opens_it_and_it_admits_nothing(breaker: CircuitBreaker, health: Health, service: str) -> None:
    await close(breaker)
    await (await Call(breaker, service).begun()).fails()
    assert breaker.state is State.OPEN
    assert await admitted(breaker) is None
    assert health.faults == {service: "away"}


@pytest.mark.parametrize("service", [ARCHIVE, QUEUE])
async def test_after_a_backoff_it_is_half_open_and_one_success_closes_it(
    breaker: CircuitBreaker, backoffs: Backoffs, health: Health, service: str
) -> None:
    await close(breaker)
    backoffs.seconds = 0
    call = await (await Call(breaker, service).begun()).fails()
    await call.begun(attempts=2)
    assert breaker.state is State.HALF_OPEN
    await call.succeeds()
    assert breaker.state.value == "closed"
    assert health.faults == {}


async def test_a_success_lets_all_who_wait_try_again_at_once(breaker: CircuitBreaker, backoffs: Backoffs) -> None:
    await close(breaker)
    waiting = [await (await Call(breaker, ARCHIVE).begun()).fails() for _ in range(3)]
    backoffs.seconds = 0
    trial = await (await Call(breaker, ARCHIVE).begun()).fails()
    await (await trial.begun(attempts=2)).succeeds()
    for call in waiting:
        await (await call.begun(attempts=2)).succeeds()


async def test_an_answer_that_is_no_success_lets_all_who_wait_for_that_service_try_again_at_once_and_closes_nothing(
    breaker: CircuitBreaker,
) -> None:
    await close(breaker)
    waiting = [await (await Call(breaker, QUEUE).begun()).fails() for _ in range(3)]
    for_another = await (await Call(breaker, ARCHIVE).begun()).fails()
    await (await Call(breaker, QUEUE).begun()).is_answered_otherwise()
    for call in waiting:
        await call.begun(attempts=2)
    assert for_another.attempts == 1
    assert breaker.state is State.HALF_OPEN


async def test_a_call_that_fails_late_does_not_open_it_again_once_the_service_has_answered(
    breaker: CircuitBreaker, backoffs: Backoffs, health: Health
) -> None:
    await close(breaker)
    backoffs.seconds = 0
    breaker.trial_began()
    call = await (await (await Call(breaker, QUEUE).begun()).fails()).begun(attempts=2)
    backoffs.seconds = 3600
    await (await Call(breaker, QUEUE).begun()).is_answered_otherwise()
    await call.fails()
    assert health.faults == {}
    assert await admitted(breaker) == 1


async def test_an_answer_to_a_call_from_before_an_outage_ends_no_wait(breaker: CircuitBreaker, health: Health) -> None:
    await close(breaker)
    old = await Call(breaker, QUEUE).begun()
    waiting = await (await Call(breaker, QUEUE).begun()).fails()
    await old.is_answered_otherwise()
    await settle()
    assert waiting.attempts == 1
    assert health.faults == {"queue": "away"}


async def test_a_success_of_the_other_service_does_not_close_it(breaker: CircuitBreaker) -> None:
    await close(breaker)
    await (await Call(breaker, ARCHIVE).begun()).fails()
    await (await Call(breaker, QUEUE).begun()).succeeds()
    assert breaker.state is State.OPEN


async def test_a_success_of_a_call_that_began_before_the_one_that_failed_does_not_close_it(
    breaker: CircuitBreaker,
) -> None:
    await close(breaker)
    old = await Call(breaker, ARCHIVE).begun()
    await (await Call(breaker, ARCHIVE).begun()).fails()
    await old.succeeds()
    assert breaker.state is State.OPEN


async def test_a_success_of_a_call_that_was_under_way_at_the_failure_closes_it_where_it_began_later(
    breaker: CircuitBreaker,
) -> None:
    await close(breaker)
    failing = await Call(breaker, ARCHIVE).begun()
    other = await Call(breaker, ARCHIVE).begun()
    await failing.fails()
    assert await admitted(breaker) is None

    await other.succeeds()

    assert await admitted(breaker) == 10
    await (await failing.begun(2)).succeeds()  # at once, for the circuit is closed


async def test_a_failure_of_a_call_that_began_before_one_that_succeeded_does_not_open_it(
    breaker: CircuitBreaker,
) -> None:
    await close(breaker)
    slow = await Call(breaker, ARCHIVE).begun()
    await (await Call(breaker, ARCHIVE).begun()).succeeds()
    await slow.fails()
    assert breaker.state is State.CLOSED
    assert slow.attempts == 1  # it waits all the same


async def test_what_counts_is_the_failed_call_that_began_last_not_the_one_that_failed_last(
    breaker: CircuitBreaker,
) -> None:
    await close(breaker)
    first, second, third = [await Call(breaker, ARCHIVE).begun() for _ in range(3)]
    await third.fails()
    await first.fails()
    await second.succeeds()
    assert breaker.state is State.OPEN


async def test_what_fails_again_while_others_succeed_leaves_it_closed(
    breaker: CircuitBreaker, backoffs: Backoffs
) -> None:
    await close(breaker)
    backoffs.seconds = 0
    bad = await (await Call(breaker, ARCHIVE).begun()).fails()
    await bad.begun(attempts=2)
    await (await Call(breaker, ARCHIVE).begun()).succeeds()
    backoffs.seconds = 3600
    await bad.fails()
    assert breaker.state is State.CLOSED
    await (await Call(breaker, ARCHIVE).begun()).succeeds()
    await settle()
    assert bad.attempts == 2  # it waits its backoff out, whatever others do


async def test_what_fails_while_others_succeed_does_not_keep_a_half_open_circuit_from_being_tried(
    breaker: CircuitBreaker, backoffs: Backoffs
) -> None:
    await close(breaker)
    breaker.trial_began()
    backoffs.seconds = 0
    bad = await (await Call(breaker, ARCHIVE).begun()).fails()
    await bad.begun(attempts=2)
    await (await Call(breaker, ARCHIVE).begun()).succeeds()
    backoffs.seconds = 3600
    await bad.fails()
    other = await (await Call(breaker, ARCHIVE).begun()).fails()
    assert breaker.state is State.OPEN
    other.task.cancel()
    await settle()
    assert breaker.state.value == "half_open"
    assert await admitted(breaker) == 1


async def test_of_many_that_fail_while_others_succeed_only_a_few_may_wait(
    breaker: CircuitBreaker, backoffs: Backoffs
) -> None:
    await close(breaker)
    backoffs.seconds = 0
    bad = [await (await Call(breaker, ARCHIVE).begun()).fails() for _ in range(3)]
    for call in bad:
        await call.begun(attempts=2)
    await (await Call(breaker, ARCHIVE).begun()).succeeds()
    backoffs.seconds = 3600
    for call in bad:
        await call.fails()
    assert [call.task.done() for call in bad] == [False, False, True]
    with pytest.raises(FailsAloneError):
        await bad[2].task


async def test_a_call_that_fails_several_times_is_retried_until_it_succeeds_and_no_longer(
    breaker: CircuitBreaker, backoffs: Backoffs
) -> None:
    backoffs.seconds = 0
    call = await Call(breaker, QUEUE).begun()
    for attempt in (2, 3, 4):
        await call.fails()
        await call.begun(attempts=attempt)
    await call.succeeds()
    assert not breaker.is_retrying(QUEUE)


async def test_a_failure_takes_back_how_many_are_tried_at_once(breaker: CircuitBreaker, backoffs: Backoffs) -> None:
    for _ in range(5):
        breaker.trial_was_inconclusive()
    assert await admitted(breaker) == 10
    backoffs.seconds = 0
    call = await (await Call(breaker, ARCHIVE).begun()).fails()
    await call.begun(attempts=2)
    assert await admitted(breaker) == 1


async def test_health_is_not_told_of_a_success_from_before_the_outage(breaker: CircuitBreaker, health: Health) -> None:
    await close(breaker)
    old = await Call(breaker, ARCHIVE).begun()
    await (await Call(breaker, ARCHIVE).begun()).fails()
    await old.succeeds()
    assert health.faults == {ARCHIVE: "away"}


@pytest.mark.parametrize("service", [ARCHIVE, QUEUE])
async def test_an_outage_in_which_calls_hung_is_said_once_and_its_end_once_in_whatever_order_they_end(
    breaker: CircuitBreaker, backoffs: Backoffs, service: str
) -> None:
    await close(breaker)
    with capture_logs() as lines:
        backoffs.seconds = 0
        hung = [await Call(breaker, service).begun() for _ in range(9)]
        trial = await (await hung.pop().fails()).begun(attempts=2)
        await hung.pop().succeeds()  # it began before the failure, and says nothing about what came after
        await hung.pop().fails()
        await hung.pop().succeeds()
        await trial.succeeds()  # it did not: the outage is over
        for late in hung:  # all of these began before
            await (await (await late.fails()).begun(attempts=2)).succeeds()
            await (await Call(breaker, service).begun()).succeeds()
    assert [line["event"] for line in lines] == [f"{service}_unavailable", f"{service}_available"]
    assert breaker.state is State.CLOSED


async def test_what_is_given_up_while_it_waits_leaves_it_half_open(breaker: CircuitBreaker) -> None:
    await close(breaker)
    call = await (await Call(breaker, ARCHIVE).begun()).fails()
    call.task.cancel()
    await settle()
    assert breaker.state is State.HALF_OPEN
    assert not breaker.is_retrying(ARCHIVE)


async def test_another_error_goes_to_the_caller_and_changes_nothing(breaker: CircuitBreaker) -> None:
    async def names_are_taken() -> None:
        raise NamesTakenError

    with pytest.raises(NamesTakenError):
        await breaker.until_available(ARCHIVE, names_are_taken, message_id="id")
    assert breaker.state is State.HALF_OPEN
    assert not breaker.is_retrying(ARCHIVE)


async def test_a_call_is_retried_from_its_first_failure_until_it_succeeds(
    breaker: CircuitBreaker, backoffs: Backoffs
) -> None:
    backoffs.seconds = 0
    call = await Call(breaker, QUEUE).begun()
    assert not breaker.is_retrying(QUEUE)
    await call.fails()
    await call.begun(attempts=2)
    assert breaker.is_retrying(QUEUE)
    await call.succeeds()
    assert not breaker.is_retrying(QUEUE)


async def test_a_stop_lets_what_waits_try_once_more_and_raises_what_fails_then(breaker: CircuitBreaker) -> None:
    lucky, unlucky = [await (await Call(breaker, ARCHIVE).begun()).fails() for _ in range(2)]
    breaker.stop()
    await (await lucky.begun(attempts=2)).succeeds()
    await (await unlucky.begun(attempts=2)).fails()
    with pytest.raises(ArchiveUnavailableError):
        await unlucky.task


def test_backoffs_double_up_to_30_seconds(backoffs: Backoffs) -> None:
    for attempt in [*range(1, 10), 2000]:
        backoff_seconds(backoffs, attempt)
    assert backoffs.longest == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
