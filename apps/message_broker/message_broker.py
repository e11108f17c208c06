"""The broker: received → put into the archive → deleted. Nothing is deleted before its object is durable.

`service.py` runs it: the fetcher hands each message over to `Broker.start`; at a stop the fetcher ends first.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.archive.archive import NamesTakenError
from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from checkpoint.email import Email, NotAnEmailError
from checkpoint.message_queue.port import NoDeadLetterQueueError, QueueUnavailableError
from checkpoint.operations.background import in_background
from checkpoint.operations.telemetry import log_failure
from message_broker.circuit_breaker import ARCHIVE, QUEUE, FailsAloneError
from message_broker.in_flight import StaleReceiptError

if TYPE_CHECKING:
    from checkpoint.archive.archive import Archive
    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import Message
    from checkpoint.operations.health import Health
    from message_broker.circuit_breaker import CircuitBreaker
    from message_broker.in_flight import Delivery, InFlight
    from message_broker.metrics import Metrics, Outcome

_log = structlog.get_logger()

# A message whose object cannot be read comes again after 2, 4, 8 and 16 seconds, and is dead-lettered at its fifth
# receive: before the queue's own limit of receives would do that, without the reason.
_RECEIVES_OF_UNREADABLE: Final = 5


@dataclass(eq=False, kw_only=True)
class Broker:
    """Moves messages from the queue to the archive."""

    archive: Archive
    in_flight: InFlight
    breaker: CircuitBreaker
    health: Health
    metrics: Metrics
    clock: Clock

    def __post_init__(self) -> None:
        self._moves: set[asyncio.Task[None]] = set()

    def start(self, delivery: Delivery) -> None:
        """Move a message, in a task of its own."""
        move = asyncio.create_task(self._move(delivery))
        self._moves.add(move)
        move.add_done_callback(self._moves.discard)

    async def stop(self, *, grace_seconds: float) -> None:
        """Bring the messages in flight to their ends within the grace, and release the rest."""
        self.breaker.stop()
        async with in_background(self.in_flight.flush_deletes()):
            if self._moves:
                await asyncio.wait(self._moves, timeout=grace_seconds)
        unfinished = list(self._moves)
        for move in unfinished:
            move.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        await self.in_flight.close()

    async def _move(self, delivery: Delivery) -> None:
        """The life of one delivery, whatever happens in it. If nothing else ends it, it is released."""
        began = self.clock.monotonic()
        outcome: Outcome = "released"
        try:
            async with self.in_flight.release_unless_ended(delivery):
                with suppress(ArchiveUnavailableError, QueueUnavailableError):  # raised only where the broker stops
                    outcome = await self._process(delivery)
        except FailsAloneError:
            pass  # released, for later
        except Exception as error:  # noqa: BLE001  one message's fault is not the others'
            outcome = "failed"
            log_failure(_log, error)
        finally:
            self.metrics.message_ended(outcome, seconds=self.clock.monotonic() - began)

    async def _process(self, delivery: Delivery) -> Outcome:
        try:
            message_id, outcome = await self._archive(delivery.message)
        except NotAnEmailError as error:
            return await self._dead_letter(delivery, str(error))
        except NamesTakenError as error:
            return await self._dead_letter(delivery, str(error))
        except ObjectUnreadableError as error:
            return await self._release_or_dead_letter(delivery, error)
        await self.in_flight.free_slot(delivery)
        await self._delete(delivery, message_id)
        return outcome

    async def _archive(self, message: Message) -> tuple[str, Outcome]:
        """The message's identity, and what its object was."""
        email = Email.read(message.body)
        result = await self.breaker.until_available(
            ARCHIVE,
            lambda: self.archive.put(email),
            message_id=email.identity,
            answers=(NamesTakenError, ObjectUnreadableError),
        )
        self.metrics.stored(message, created=result.created)
        self.health.clear_warnings(email.names)
        _log.debug("message_archived", message_id=email.identity, object=result.name, created=result.created)
        return email.identity, "created" if result.created else "already_there"

    async def _delete(self, delivery: Delivery, message_id: str) -> None:
        """Delete a message whose object is durable; if its receipt is stale, it comes again and is found archived."""
        try:
            await self.breaker.until_available(
                QUEUE, lambda: self.in_flight.delete(delivery), message_id=message_id, answers=(StaleReceiptError,)
            )
        except StaleReceiptError as error:
            _log.warning("message_not_deleted", message_id=message_id, reason=str(error))

    async def _dead_letter(self, delivery: Delivery, reason: str) -> Outcome:
        line = _log.bind(message_id=sha256(delivery.message.body).hexdigest(), reason=reason)
        try:
            await self.in_flight.dead_letter(delivery, reason)
        except (QueueUnavailableError, NoDeadLetterQueueError) as error:
            line.error("dead_letter_failed", error=str(error))
            return "failed"
        line.warning("message_dead_lettered", receive_count=delivery.message.receive_count)
        return "dead_lettered"

    async def _release_or_dead_letter(self, delivery: Delivery, error: ObjectUnreadableError) -> Outcome:
        """Release a message whose object cannot be compared, each time for longer; dead-letter it at its fifth receive.

        Meanwhile somebody may mend the object.
        """
        receive_count = delivery.message.receive_count
        if receive_count >= _RECEIVES_OF_UNREADABLE:
            outcome = await self._dead_letter(delivery, str(error))
            if outcome == "dead_lettered":
                self.health.clear_warnings([error.name])
            return outcome
        self.health.warn(error.name, error.reason)
        _log.warning("object_unreadable", object=error.name, reason=error.reason, receive_count=receive_count)
        await self.in_flight.release_later(delivery)
        return "released"
