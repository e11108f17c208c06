"""The broker: received → checked → kept as one object → deleted. Nothing is deleted before its object is durable."""

from __future__ import annotations

import asyncio
import time
import traceback
from typing import TYPE_CHECKING

import structlog

from checkpoint.archive.create_only import NamesTakenError
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.batching import Batcher
from checkpoint.email import Email, NotAnEmailError
from checkpoint.message_queue.port import QueueUnavailableError
from message_broker.patience import backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.health import Health
    from checkpoint.message_queue.port import EntryFault, Message, ReceivingQueue
    from checkpoint.tally import Tally
    from message_broker.leases import Leases
    from message_broker.metrics import Metrics
    from message_broker.patience import PatientArchive
    from message_broker.slots import Slots

_log = structlog.get_logger()

RECEIVING = "receiving"
DELETING = "deleting"


class Broker:
    """Moves messages from a queue to an archive, as many at once as there are slots.

    wait_seconds: of long polling. visibility_seconds: for which a received message is hidden.
    delay: seconds to wait after the n-th failed receive or delete in a row.
    """

    def __init__(
        self,
        queue: ReceivingQueue,
        archive: PatientArchive,
        *,
        slots: Slots,
        leases: Leases,
        health: Health,
        metrics: Metrics,
        tally: Tally,
        wait_seconds: float,
        visibility_seconds: int,
        delay: Callable[[int], float] = backoff,
    ) -> None:
        self._queue = queue
        self._archive = archive
        self._slots = slots
        self._leases = leases
        self._health = health
        self._metrics = metrics
        self._tally = tally
        self._wait_seconds = wait_seconds
        self._visibility_seconds = visibility_seconds
        self._delay = delay
        self._moves: set[asyncio.Task[None]] = set()
        self._proven = False
        self._canary = asyncio.Lock()
        self._failed_deletes = 0
        self._deleting: Batcher[Message, EntryFault | None] = Batcher(
            queue.delete, entries=queue.limits.entries, calls_at_once=queue.limits.calls_at_once
        )

    async def receive_until_cancelled(self) -> None:
        """Receive what there are free slots for, and move it; while the archive is away, receive nothing."""
        failures = 0
        while True:
            await self._archive.wait_until_up()
            try:
                if self._proven:
                    await self._receive(self._queue.limits.entries)
                else:
                    await self._receive_canary()
            except QueueUnavailableError as error:
                self._health.at_fault(RECEIVING, str(error))
                await asyncio.sleep(self._delay(failures))
                failures += 1
            else:
                failures = 0

    async def finish(self, *, grace_seconds: float) -> None:
        """Bring what is in flight to its end within the grace, then hand the rest back."""
        self._archive.give_up()
        if self._moves:
            _, unfinished = await asyncio.wait(self._moves, timeout=grace_seconds)
            for move in unfinished:
                move.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        await self._leases.hand_back_all()

    async def _receive_canary(self) -> None:
        """Take a single message its whole way.

        Until one has gone it, more would be careless: a broker that is started again and again while the archive is
        away, or that may not delete, would each time use up the receive counts of a slot-full of good messages.
        """
        async with self._canary:
            await self._slots.wait_until_none_is_taken()
            if self._failed_deletes:
                await asyncio.sleep(self._delay(self._failed_deletes))
            if not self._proven:
                await self._receive(1)
                await self._slots.wait_until_none_is_taken()

    async def _receive(self, at_most: int) -> None:
        free = await self._slots.take(at_most)
        messages: list[Message] = []
        try:
            asked_at = time.monotonic()
            # Until a receive has succeeded the service is not ready, so that one must not wait for a message.
            wait_seconds = self._wait_seconds if self._health.is_well(RECEIVING) else 0
            messages = await self._queue.receive(
                free, wait_seconds=wait_seconds, visibility_seconds=self._visibility_seconds
            )
            self._health.well(RECEIVING)
        finally:
            self._slots.give_back(free - len(messages))
        self._leases.hold(messages, since=asked_at)
        for message in messages:
            move = asyncio.create_task(self._move(message))
            self._moves.add(move)
            move.add_done_callback(self._moves.discard)

    async def _move(self, message: Message) -> None:
        began = time.perf_counter()
        outcome = "handed back"  # at the end, where the move is cancelled or the archive stays away
        try:
            email = Email.read(message.body)
            kept = await self._archive.keep(email)
            _log.debug("archived", object=kept.name, created=kept.created, message_id=email.identity)
            await self._delete(message)
            outcome = "archived" if kept.created else "archived before"
        except (NotAnEmailError, NamesTakenError) as error:
            outcome = await self._set_aside(message, str(error))
        except ArchiveUnavailableError:
            pass
        except Exception as error:  # noqa: BLE001  an error's own text could repeat the e-mail, so it is not let out
            outcome = "failed"
            self._leases.release(message)
            place = traceback.extract_tb(error.__traceback__)[-1]
            _log.error("failed", error=type(error).__name__, at=f"{place.filename}:{place.lineno}")
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
            self._proven = False
            self._failed_deletes += 1
            self._health.at_fault(DELETING, str(error))
        else:
            self._proven = True
            self._failed_deletes = 0
            self._health.well(DELETING)
            if fault:
                _log.warning("archived but not deleted; it comes again", reason=fault.reason)
        finally:
            self._leases.release(message)

    async def _set_aside(self, message: Message, reason: str) -> str:
        """Move a message that can never be archived to the dead-letter queue, with the reason; gives the outcome."""
        self._leases.release(message)
        try:
            await self._queue.set_aside(message, reason)
        except QueueUnavailableError as error:
            _log.error("could not be set aside; it comes again", reason=reason, queue=str(error))
            return "failed"
        _log.warning("set aside in the dead-letter queue", reason=reason, receive_count=message.receive_count)
        return "set aside"
