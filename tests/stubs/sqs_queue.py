"""A standard SQS queue in memory: visibility timeouts, receipts, long polling, redrive."""

from __future__ import annotations

import asyncio
import heapq
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from hashlib import md5
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

STALE: Final = "InvalidParameterValue"
NOT_IN_FLIGHT: Final = "AWS.SimpleQueueService.MessageNotInflight"
NO_RECEIPT: Final = "ReceiptHandleIsInvalid"


@dataclass(slots=True, eq=False)
class Message:
    """A message on the queue.

    visible_at: seconds of the queue's clock. receipt: of its latest receive. sent_at: seconds since 1970.
    """

    body: str
    attributes: dict[str, Any] = field(default_factory=dict)
    message_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    md5_of_body: str = ""
    receives: int = 0
    receipt: str = ""
    visible_at: float = 0
    sent_at: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.md5_of_body = md5(self.body.encode(), usedforsecurity=False).hexdigest()


class Queue:
    """A queue.

    maximum_message_size: in bytes, set by its owner.
    dead_letters: where a message goes that was received `max_receives` times and not deleted.
    now: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        name: str,
        bodies: Iterable[str] = (),
        *,
        dead_letters: Queue | None = None,
        max_receives: int = 5,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.dead_letters = dead_letters
        self.max_receives = max_receives
        self.maximum_message_size = 262_144
        self.received = 0
        self.deleted = 0
        self.first_received_at: float | None = None
        self.last_deleted_at: float | None = None
        self._now = now
        self._messages: dict[str, Message] = {}
        self._visible: deque[Message] = deque()
        self._hidden: list[tuple[float, str]] = []  # a heap; an entry counts only while it is its message's own time
        self._changed = asyncio.Event()
        for body in bodies:
            self.send(Message(body))

    @property
    def visible(self) -> int:
        """Messages that a receiver would get now."""
        self._reappear()
        return sum(message.message_id in self._messages for message in self._visible)

    @property
    def in_flight(self) -> int:
        """Messages that are received, not deleted, and hidden."""
        return len(self._messages) - self.visible

    def send(self, message: Message) -> None:
        """Put a message on the queue, visible."""
        self._messages[message.message_id] = message
        self._show(message)

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: float) -> list[Message]:
        """Messages, hidden from now on; waits for the first."""
        deadline = self._now() + wait_seconds
        if self.first_received_at is None:
            self.first_received_at = self._now()
        while not (taken := self._take(at_most, visibility_seconds)) and (left := deadline - self._now()) > 0:
            if self._hidden:
                left = min(left, self._hidden[0][0] - self._now())
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                pass
        self.received += len(taken)
        return taken

    def delete(self, receipt: str) -> str | None:
        """Remove a message; gives a code where that is refused. With a stale receipt nothing is removed or refused.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
        """
        message_id, separator, _ = receipt.partition(":")
        if not separator:
            return NO_RECEIPT
        message = self._messages.get(message_id)
        if message and message.receipt == receipt:
            del self._messages[message_id]
            self.deleted += 1
            self.last_deleted_at = self._now()
        return None

    def change_visibility(self, receipt: str, seconds: float) -> str | None:
        """Hide a message for `seconds` from now; gives a code where that is refused.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
        """
        message_id, separator, _ = receipt.partition(":")
        if not separator:
            return NO_RECEIPT
        message = self._messages.get(message_id)
        if message is None or message.receipt != receipt:
            return STALE
        if message.visible_at <= self._now():
            return NOT_IN_FLIGHT
        self._hide(message, seconds)
        return None

    def _take(self, at_most: int, visibility_seconds: float) -> list[Message]:
        self._reappear()
        taken: list[Message] = []
        while self._visible and len(taken) < at_most:
            message = self._visible.popleft()
            if message.message_id not in self._messages:  # deleted after it had become visible again
                continue
            if self.dead_letters and message.receives >= self.max_receives:
                del self._messages[message.message_id]
                self.dead_letters.send(Message(message.body, message.attributes))
                continue
            message.receives += 1
            message.receipt = f"{message.message_id}:{message.receives}"
            self._hide(message, visibility_seconds)
            taken.append(message)
        return taken

    def _hide(self, message: Message, seconds: float) -> None:
        message.visible_at = self._now() + seconds
        heapq.heappush(self._hidden, (message.visible_at, message.message_id))
        if seconds <= 0:
            self._reappear()

    def _reappear(self) -> None:
        while self._hidden and self._hidden[0][0] <= self._now():
            visible_at, message_id = heapq.heappop(self._hidden)
            message = self._messages.get(message_id)
            if message and message.visible_at == visible_at:
                self._show(message)

    def _show(self, message: Message) -> None:
        self._visible.append(message)
        self._changed.set()
        self._changed = asyncio.Event()
