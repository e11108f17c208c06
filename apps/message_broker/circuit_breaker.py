"""A circuit breaker: how puts and deletes went decides how much may be received.

https://learn.microsoft.com/en-us/azure/architecture/patterns/circuit-breaker
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.call_order import CallOrder
from checkpoint.message_queue.port import QueueUnavailableError
from message_broker.backoff import backoff_seconds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from checkpoint.clock import Random
    from checkpoint.operations.health import Health

_log = structlog.get_logger()
_T = TypeVar("_T")

# The two services that a message needs, which are also the conditions of the broker's health.
ARCHIVE: Final = "archive"
QUEUE: Final = "queue"

# A message that has failed so often, in about a minute, no longer keeps others from being tried: the fault may be its
# own. In a long outage this receives a message more per minute or so; each costs one receive, for all are held.
_ATTEMPTS_OF_A_TRIAL: Final = 10
_MOST_TRIALS_AT_ONCE: Final = 10


class FailsAloneError(Exception):
    """A message's call fails again and again while those of others succeed, and too many such messages wait already."""


class State(Enum):
    """What may be received; a receive that is under way when the state changes still brings its messages."""

    CLOSED = "closed"  # as much as there are slots
    OPEN = "open"  # nothing
    HALF_OPEN = "half_open"  # one message as a trial, or a few, while no other trial is in flight


@dataclass(slots=True)
class _Attempts:
    """To make one message's call.

    failed: how many. failed_at: when the last one did. fail_alone: whether those of others succeed meanwhile.
    show_outage: whether the last one says that the service is unavailable now.
    """

    message_id: str
    failed: int = 0
    failed_at: int = 0
    fail_alone: bool = False
    show_outage: bool = False


class CircuitBreaker:
    """Closed while the puts and deletes that began last have succeeded.

    It starts half-open: a broker that is restarted in an outage then uses up the receive count of one message, and not
    of as many as there are slots.

    most_outside_trials: messages that may wait without being trials, in an outage as far as anybody can tell. They keep
        their slots meanwhile, and one more is needed for a trial.
    most_failing_alone: messages that may wait so while those of others succeed.
    on_retry: called with the service for each call that is made again.
    """

    def __init__(
        self,
        *,
        health: Health,
        random: Random,
        most_outside_trials: int,
        most_failing_alone: int,
        on_retry: Callable[[str], None],
    ) -> None:
        self._on_retry = on_retry
        self._health = health
        self._random = random
        self._most_outside_trials = most_outside_trials
        self._most_failing_alone = most_failing_alone
        self._unproven = {ARCHIVE, QUEUE}
        self._calls = {ARCHIVE: CallOrder(), QUEUE: CallOrder()}
        self._retries: Counter[str] = Counter()
        self._trials = 0
        self._trials_at_once = 1
        self._outside_trials = 0
        self._admission_changed = asyncio.Event()
        self._retry_now = {ARCHIVE: asyncio.Event(), QUEUE: asyncio.Event()}
        self._stopped = asyncio.Event()
        self.state = State.HALF_OPEN

    def trial_began(self) -> None:
        """Report that one more message is in flight: its put and its delete will show how things are."""
        self._trials += 1

    def trial_ended(self) -> None:
        """Report that one message is no longer in flight."""
        self._trials -= 1
        if not self._trials:
            self._admission_changed.set()

    def trial_was_inconclusive(self) -> None:
        """Report a message that was dead-lettered or released: twice as many may be tried next, ten at most.

        Without this a half-open circuit would go through a backlog of bad messages one by one.
        """
        self._trials_at_once = min(2 * self._trials_at_once, _MOST_TRIALS_AT_ONCE)

    async def admit(self, wanted: int) -> int:
        """Wait until messages may be received; gives how many: those that are wanted, or one or a few as trials."""
        while self.state is not State.CLOSED:
            if self.state is State.HALF_OPEN and not self._trials:
                return min(wanted, self._trials_at_once)
            self._admission_changed.clear()
            await self._admission_changed.wait()
        return wanted

    def is_retrying(self, service: str) -> bool:
        """Whether a call to a service has failed and is to be made again."""
        return self._retries[service] > 0

    async def until_available(
        self,
        service: str,
        call: Callable[[], Awaitable[_T]],
        *,
        message_id: str,
        answers: tuple[type[Exception], ...] = (),
    ) -> _T:
        """Make a call, and where the service is unavailable make it again after a backoff, until it is available.

        message_id: for the log, of the message that the call is for. answers: what the call raises where the service
        has answered without success. That closes nothing, but whoever waits for the service tries again at once.
        Raises what the call raises; but that the service is unavailable, only after a stop. Raises FailsAloneError.
        """
        calls, attempts = self._calls[service], _Attempts(message_id)
        try:
            while True:
                began = calls.now()
                try:
                    result = await call()
                except (ArchiveUnavailableError, QueueUnavailableError) as error:
                    self._report_failure(service, attempts, began, str(error))
                    if self._stopped.is_set():
                        raise
                except answers:
                    self._answered(service, began)
                    raise
                else:
                    if calls.succeeded(began):
                        self._health.healthy(service)
                    # Sooner than that: where a few calls fail of many, each failure would cost a round of calls.
                    if calls.follows_failing_calls(began):
                        self._prove(service)
                    return result
                await self._until_next(service, attempts)
                self._on_retry(service)
        finally:
            if attempts.failed:
                self._retries[service] -= 1

    def stop(self) -> None:
        """Let what waits for its next attempt make it at once, as its last."""
        self._stopped.set()
        for retry_now in self._retry_now.values():
            retry_now.set()

    def _answered(self, service: str, began: int) -> None:
        if self._calls[service].succeeded(began):
            self._health.healthy(service)
            if not self._retry_now[service].is_set():
                self._retry_now[service].set()
                self._retry_now[service].clear()

    def _report_failure(self, service: str, attempts: _Attempts, began: int, reason: str) -> None:
        calls = self._calls[service]
        # Calls that began after its last failure have succeeded: the fault is not the service's.
        attempts.fail_alone = attempts.fail_alone or 0 < attempts.failed_at < calls.last_success
        attempts.show_outage = not attempts.fail_alone and calls.failed(began)
        attempts.failed_at = calls.now()
        attempts.failed += 1
        if attempts.failed == 1:
            self._retries[service] += 1
        if attempts.show_outage:
            self._health.unhealthy(service, reason)
        elif attempts.fail_alone:
            _log.warning("message_fails_alone", message_id=attempts.message_id, reason=reason, attempt=attempts.failed)

    async def _until_next(self, service: str, attempts: _Attempts) -> None:
        if attempts.fail_alone and self._outside_trials >= self._most_failing_alone:
            raise FailsAloneError
        is_long_tried = attempts.failed >= _ATTEMPTS_OF_A_TRIAL
        if attempts.fail_alone or (is_long_tried and self._outside_trials < self._most_outside_trials):
            await self._wait_outside_trials(attempts.failed)
        else:
            await self._wait_as_a_trial(service, attempts)

    def _prove(self, service: str) -> None:
        self._unproven.discard(service)
        if not self._unproven:
            self._change_to(State.CLOSED)

    async def _wait_as_a_trial(self, service: str, attempts: _Attempts) -> None:
        """Wait until a backoff is over, the service answers, or the circuit closes, which an outage opens."""
        self._trials_at_once = 1
        if attempts.show_outage:
            self._unproven.add(service)
            self._change_to(State.OPEN)
        try:
            # Where the circuit did not open, it is not its closing that is waited for.
            await self._wait(self._retry_now[service] if self._unproven else self._stopped, attempts.failed)
        finally:
            if self.state is State.OPEN:
                self._change_to(State.HALF_OPEN)

    async def _wait_outside_trials(self, attempt: int) -> None:
        """Wait out a backoff, and be no trial meanwhile: else a half-open circuit would wait for this one message."""
        self._outside_trials += 1
        self.trial_ended()
        try:
            await self._wait(self._stopped, attempt)
        finally:
            self._outside_trials -= 1
            self.trial_began()

    async def _wait(self, event: asyncio.Event, attempt: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(backoff_seconds(self._random, attempt)):
                await event.wait()

    def _change_to(self, state: State) -> None:
        self.state = state
        for retry_now in self._retry_now.values():
            (retry_now.set if state is State.CLOSED or self._stopped.is_set() else retry_now.clear)()
        self._admission_changed.set()
