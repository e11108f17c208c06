"""Both halves of a queue, with what is counted of their calls around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from prometheus_client import Counter

from checkpoint.message_queue.port import MeasuredQueue
from checkpoint.operations.calls import Calls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prometheus_client import CollectorRegistry

    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import Depth, EntryFault, Limits, Message, ReceivingQueue, SendingQueue

SENDING: Final = ("send", "probe")
RECEIVING: Final = ("receive", "delete", "change_visibility", "dead_letter", "depth")


class QueueCalls(Calls):
    """The metrics of the calls to a queue.

    operations: SENDING or RECEIVING.
    """

    def __init__(self, operations: Sequence[str], *, registry: CollectorRegistry, clock: Clock) -> None:
        super().__init__("queue", operations, registry=registry, clock=clock)
        entries = Counter(
            "checkpoint_queue_entry_failures",
            "Messages that a call to the queue failed for, while the call itself succeeded, by operation.",
            ["operation"],
            registry=registry,
        )
        self._entry_failures = {operation: entries.labels(operation) for operation in operations}

    def done(self, operation: str, began: float, faults: Sequence[EntryFault | None]) -> None:
        """Count a call with a result per message."""
        self.succeeded(operation, began)
        if failed := len(faults) - faults.count(None):
            self._entry_failures[operation].inc(failed)


class _Queue(Protocol):
    @property
    def limits(self) -> Limits: ...


class _Half:
    def __init__(self, queue: _Queue, calls: QueueCalls) -> None:
        self._half = queue
        self._calls = calls

    @property
    def limits(self) -> Limits:
        """As the port says."""
        return self._half.limits


class CountedSendingQueue(_Half):
    """A sending half."""

    def __init__(self, queue: SendingQueue, calls: QueueCalls) -> None:
        super().__init__(queue, calls)
        self._queue = queue

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        """As the port says."""
        calls = self._calls
        began = calls.began()
        try:
            faults = await self._queue.send(bodies)
        except Exception as error:
            calls.failed("send", began, error)
            raise
        calls.done("send", began, faults)
        return faults

    async def probe(self) -> None:
        """As the port says."""
        with self._calls.call("probe"):
            await self._queue.probe()


class CountedReceivingQueue(_Half):
    """A receiving half. The time of a receive is mostly its wait for a message."""

    def __init__(self, queue: ReceivingQueue, calls: QueueCalls) -> None:
        super().__init__(queue, calls)
        self._queue = queue

    @property
    def is_measured(self) -> bool:
        """Whether it can tell its depth."""
        return isinstance(self._queue, MeasuredQueue)

    async def depth(self) -> Depth | None:
        """As MeasuredQueue says; None where the queue is none."""
        if not isinstance(self._queue, MeasuredQueue):
            return None
        with self._calls.call("depth"):
            return await self._queue.depth()

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        """As the port says."""
        with self._calls.call("receive"):
            return await self._queue.receive(at_most, wait_seconds=wait_seconds, visibility_seconds=visibility_seconds)

    async def delete(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        """As the port says."""
        calls = self._calls
        began = calls.began()
        try:
            faults = await self._queue.delete(messages)
        except Exception as error:
            calls.failed("delete", began, error)
            raise
        calls.done("delete", began, faults)
        return faults

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        """As the port says."""
        calls = self._calls
        began = calls.began()
        try:
            faults = await self._queue.change_visibility(messages, visibility_seconds)
        except Exception as error:
            calls.failed("change_visibility", began, error)
            raise
        calls.done("change_visibility", began, faults)
        return faults

    async def dead_letter(self, message: Message, reason: str) -> None:
        """As the port says."""
        with self._calls.call("dead_letter"):
            await self._queue.dead_letter(message, reason)
