"""The broker: received → checked → kept as one object → deleted. Nothing is deleted before its object is durable."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.archive.archive import NamesTakenError
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.batching import Batcher
from checkpoint.email import Email, NotAnEmailError
from checkpoint.message_queue.port import NoDeadLetterQueueError, QueueUnavailableError
from checkpoint.operations.telemetry import log_failure

if TYPE_CHECKING:
    from checkpoint.message_queue.port import EntryFault, Message, ReceivingQueue
    from checkpoint.operations.health import Health
    from checkpoint.operations.tally import Tally
    from message_broker.leases import Leases
    from message_broker.metrics import Metrics
    from message_broker.patience import PatientArchive
    from message_broker.receiving import Receiver
    from message_broker.slots import Slots

_log = structlog.get_logger()

DELETING: Final = "deleting"

# Nobody waits for a delete, so that fewer calls with more in each cost nothing but save processor time.
_DELETES_AT_ONCE: Final = 8


class Broker:
    """Moves messages from a queue to an archive, as many at once as there are slots."""

    def __init__(
        self,
        queue: ReceivingQueue,
        archive: PatientArchive,
        *,
        receiver: Receiver,
        slots: Slots,
        leases: Leases,
        health: Health,
        metrics: Metrics,
        tally: Tally,
    ) -> None:
        self._queue = queue
        self._archive = archive
        self._receiver = receiver
        self._slots = slots
        self._leases = leases
        self._health = health
        self._metrics = metrics
        self._tally = tally
        self._moves: set[asyncio.Task[None]] = set()
        self._deleting: Batcher[Message, EntryFault | None] = Batcher(
            queue.delete,
            entries=queue.limits.entries,
            calls_at_once=min(_DELETES_AT_ONCE, queue.limits.calls_at_once),
        )

    async def consume(self, *, only_in_crowds: bool = False) -> None:
        """Receive, and move what was received, until the receiver is closed."""
        while not self._receiver.is_closed:
            for message in await self._receiver.receive(only_in_crowds=only_in_crowds):
                move = asyncio.create_task(self._move(message))
                self._moves.add(move)
                move.add_done_callback(self._moves.discard)

    async def finish(self, *, grace_seconds: float) -> None:
        """Bring what is in flight to its end within the grace, then hand the rest back."""
        self._archive.give_up()
        if self._moves:
            _, unfinished = await asyncio.wait(self._moves, timeout=grace_seconds)
            for move in unfinished:
                move.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        await self._leases.hand_back_all()

    async def _move(self, message: Message) -> None:
        began = time.perf_counter()
        outcome = "handed back"  # at the end, where the move is cancelled or the archive stays away
        try:
            email = Email.read(message.body)
            kept = await self._archive.put(email)
            _log.debug("archived", object=kept.name, created=kept.created, message_id=email.identity)
            await self._delete(message)
            outcome = "archived" if kept.created else "archived before"
        except (NotAnEmailError, NamesTakenError) as error:
            outcome = await self._set_aside(message, str(error))
        except ArchiveUnavailableError:
            pass
        except Exception as error:  # noqa: BLE001  one message's fault is not the others'
            outcome = "failed"
            self._leases.release(message)
            log_failure(_log, error)
        finally:
            self._slots.give_back(1)
            self._tally.count(outcome)
            self._metrics.moves.labels(outcome).inc()
            self._metrics.seconds.observe(time.perf_counter() - began)

    async def _delete(self, message: Message) -> None:
        """Delete a message that is archived; where that fails, it comes again and is found to be archived."""
        try:
            fault = await self._deleting.submit(message)
        except QueueUnavailableError as error:
            self._receiver.could_not_be_deleted()
            self._health.unhealthy(DELETING, str(error))
        else:
            self._health.healthy(DELETING)
            if fault is None:
                self._receiver.went_the_whole_way()
            else:  # another receiver has it by now, and will find it archived
                _log.warning("archived but not deleted; it comes again", reason=fault.reason)
        self._leases.release(message)

    async def _set_aside(self, message: Message, reason: str) -> str:
        """Move a message that can never be archived to the dead-letter queue, with the reason; gives the outcome."""
        self._leases.release(message)
        try:
            await self._queue.dead_letter(message, reason)
        except (QueueUnavailableError, NoDeadLetterQueueError) as error:
            _log.error("could not be set aside; it comes again", reason=reason, queue=str(error))
            return "failed"
        _log.warning("set aside in the dead-letter queue", reason=reason, receive_count=message.receive_count)
        return "set aside"
