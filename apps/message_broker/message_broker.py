"""The broker: received → put into the archive → deleted. Nothing is deleted before its object is durable."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from checkpoint.archive.archive import NamesTakenError
from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from checkpoint.email import Email, NotAnEmailError
from checkpoint.message_queue.port import NoDeadLetterQueueError, QueueUnavailableError
from checkpoint.operations.background import in_background
from checkpoint.operations.telemetry import log_failure
from message_broker.circuit_breaker import State
from message_broker.fetching import QUEUE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from checkpoint.archive.archive import Archive, PutResult
    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import Message
    from checkpoint.operations.health import Health
    from message_broker.circuit_breaker import CircuitBreaker
    from message_broker.in_flight import Held, InFlight
    from message_broker.metrics import Metrics, Outcome

_log = structlog.get_logger()
_T = TypeVar("_T")

ARCHIVE: Final = "archive"

# A message whose object cannot be read comes again after 2, 4, 8 and 16 seconds, and is dead-lettered at its fifth
# receive: before the queue's own limit of receives would do that, without the reason.
_RECEIVES_OF_UNREADABLE: Final = 5


@dataclass(eq=False, kw_only=True)
class Broker:
    """Moves messages from the queue to the archive. `move` is the life of one message."""

    archive: Archive
    in_flight: InFlight
    breaker: CircuitBreaker
    health: Health
    metrics: Metrics
    clock: Clock

    def __post_init__(self) -> None:
        self._moves: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    def start(self, held: Held) -> None:
        """Move a message, in a task of its own."""
        move = asyncio.create_task(self.move(held))
        self._moves.add(move)
        move.add_done_callback(self._moves.discard)

    async def move(self, held: Held) -> None:
        """The life of one message, from its receive to its one ending; what has none of its own is released."""
        began = self.clock.monotonic()
        outcome: Outcome = "released"
        try:
            async with self.in_flight.until_ended(held):
                with suppress(ArchiveUnavailableError, QueueUnavailableError):  # raised only where the service stops
                    outcome = await self._end(held)
        except Exception as error:  # noqa: BLE001  one message's fault is not the others'
            outcome = "failed"
            log_failure(_log, error)
        finally:
            self.metrics.message_ended(outcome, seconds=self.clock.monotonic() - began)

    async def stop(self, *, grace_seconds: float) -> None:
        """Bring the messages in flight to their ends within the grace, and release the rest."""
        self._is_stopping = True
        self.breaker.stop()
        async with in_background(self.in_flight.drain()):
            if self._moves:
                await asyncio.wait(self._moves, timeout=grace_seconds)
        unfinished = list(self._moves)
        for move in unfinished:
            move.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        await self.in_flight.release_all()

    async def _end(self, held: Held) -> Outcome:
        try:
            result = await self._archive(held.message)
        except (NotAnEmailError, NamesTakenError) as error:
            return await self._dead_letter(held, str(error))
        except ObjectUnreadableError as error:
            return await self._release_or_dead_letter(held, error)
        await self.in_flight.free_slot(held)
        await self._delete(held)
        return "created" if result.created else "already_there"

    async def _archive(self, message: Message) -> PutResult:
        email = Email.read(message.body)
        result = await self._until_available(ARCHIVE, lambda: self.archive.put(email))
        self.health.clear_warnings(email.names)
        _log.debug("message_archived", message_id=email.identity, object=result.name, created=result.created)
        return result

    async def _until_available(self, condition: str, call: Callable[[], Awaitable[_T]]) -> _T:
        """Call until there is no outage, and give the result. Raises what the call raises; an outage only at a stop."""
        attempt, fails_alone = 0, False
        while True:
            others_succeed = self.breaker.state is State.CLOSED
            try:
                result = await call()
            except (ArchiveUnavailableError, QueueUnavailableError) as error:
                self.health.unhealthy(condition, str(error))
                if self._is_stopping:
                    raise
                # Its first failure may be the first sign of an outage; a later one, while others succeed, is its own.
                fails_alone = fails_alone or (attempt > 0 and others_succeed)
                await (self.breaker.wait_alone(attempt) if fails_alone else self.breaker.open_and_wait(attempt))
                attempt += 1
            except (NamesTakenError, ObjectUnreadableError):
                self.health.healthy(condition)
                raise
            else:
                self.health.healthy(condition)
                return result

    async def _delete(self, held: Held) -> None:
        fault = await self._until_available(QUEUE, lambda: self.in_flight.delete(held))
        if fault is None:
            self.breaker.close()
        else:  # another receiver has it by now, and finds it archived
            _log.warning("message_not_deleted", reason=fault.reason, receive_count=held.message.receive_count)

    async def _dead_letter(self, held: Held, reason: str) -> Outcome:
        line = _log.bind(message_id=sha256(held.message.body).hexdigest(), reason=reason)
        try:
            await self.in_flight.dead_letter(held, reason)
        except (QueueUnavailableError, NoDeadLetterQueueError) as error:
            line.error("dead_letter_failed", error=str(error))
            return "failed"
        line.warning("message_dead_lettered", receive_count=held.message.receive_count)
        return "dead_lettered"

    async def _release_or_dead_letter(self, held: Held, error: ObjectUnreadableError) -> Outcome:
        """Wait for somebody to mend one object, ever longer, while everything else goes on."""
        receive_count = held.message.receive_count
        if receive_count >= _RECEIVES_OF_UNREADABLE:
            self.health.clear_warnings([error.name])
            return await self._dead_letter(held, str(error))
        self.health.warn(error.name, error.reason)
        _log.warning("object_unreadable", object=error.name, reason=error.reason, receive_count=receive_count)
        await self.in_flight.release_later(held)
        return "released"
