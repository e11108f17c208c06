"""A queue as SQS means it, and everything that the port allows it to do.

What allows each fault, in `checkpoint.message_queue.port`:
- an error though it was done: "some or all of its messages may be on the queue all the same", of every call;
- a full queue: `QueueFullError`, which "put none on itself";
- partial failures: one result per entry, of `send`, `delete` and `change_visibility`;
- duplicates, reordering, a copy after the delete: "at least once and in no promised order", and AWS's page there;
- what a lost receive took: "becomes visible again, after `visibility_seconds` at the latest";
- stale receipts: "the result is a fault, though SQS may also answer such a receipt with success";
- twice in the dead-letter queue: `dead_letter`, "never lost".
It takes no message from its owner: what it has confirmed it keeps, and what was not deleted comes again. A message may
be received `max_receives` times, so the model spends no more than a few of them on its own faults.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from checkpoint.message_queue.port import (
    Depth,
    EntryFault,
    Limits,
    Message,
    NoDeadLetterQueueError,
    QueueFullError,
    QueueUnavailableError,
)
from conservation.history import identity
from simulation.service_model import ServiceModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulation.process import Process
    from simulation.service_model import Answer, Fate, Surroundings

CALL_SECONDS: Final = 10.0  # as the SQS adapter waits
REDRIVEN: Final = "received too often"
_MOST_HARM: Final = 3  # receives of one message that are spent on faults of the queue
_STALE: Final = EntryFault("ReceiptHandleIsInvalid")
_LONGEST_SECONDS: Final = 200.0  # "hidden for as long as the queue allows", where there is no dead-letter queue


class DeadLetter(NamedTuple):
    """A message on the dead-letter queue, and why it is there."""

    body: bytes
    reason: str


class Wanted(NamedTuple):
    """What a receive asks for. is_gone: whether the caller waits no longer."""

    at_most: int
    wait_seconds: float
    visibility_seconds: float
    is_gone: Callable[[], bool]


@dataclass(eq=False, slots=True)
class _Stored:
    body: bytes
    visible_at: float
    receive_count: int = 0
    receipt: str = ""
    harm: int = 0


@dataclass(eq=False, slots=True)
class _Waiting:
    """A long poll."""

    wanted: Wanted
    fate: Fate
    answer: Answer
    has_ended: bool = False


class QueueModel(ServiceModel):
    """The queue and its dead-letter queue. max_receives: as a RedrivePolicy has it."""

    def __init__(self, surroundings: Surroundings, *, max_receives: int) -> None:
        super().__init__("queue", QueueUnavailableError, surroundings)
        self.stored: dict[str, _Stored] = {}  # by what the receipts of a message begin with
        self.dead_letters: list[DeadLetter] = []
        self._max_receives = max_receives
        self._numbers = count(1)
        self._deleted: set[str] = set()
        self._waiting: list[_Waiting] = []
        self._wakes_at = 0.0

    def put(self, body: bytes, *, after: float = 0) -> None:
        """Have a message from now on."""
        self.stored[str(next(self._numbers))] = _Stored(body, self.scheduler.now + after)
        self._wake()

    def send(self, bodies: Sequence[bytes], fate: Fate, answer: Answer) -> None:
        """Keep messages; where its answer is lost, perhaps only some."""
        if self.struck("full", "send"):
            answer(QueueFullError("the queue is full"))
            return
        faults: list[EntryFault | None] = []
        for body in bodies:
            if self.struck("partial_failures", "send"):
                faults.append(EntryFault("InternalError", is_transient=self.random.random() < 0.8))
            elif fate.answer_is_lost and self.random.random() < 0.3:
                faults.append(EntryFault("InternalError"))
            else:
                self.put(body, after=self.random.uniform(0, 0.05))
                faults.append(None)
        answer(faults)

    def probe(self, answer: Answer) -> None:
        """Whether a send would be confirmed."""
        answer(QueueFullError("the queue is full") if self.struck("full", "probe") else None)

    def depth(self, answer: Answer) -> None:
        """How much is there; it does not say for how long."""
        waiting = sum(stored.visible_at <= self.scheduler.now for stored in self.stored.values())
        answer(Depth(waiting, len(self.stored) - waiting, None, len(self.dead_letters)))

    def receive(self, wanted: Wanted, fate: Fate, answer: Answer) -> None:
        """Hand over messages, now or when one becomes visible within the wait."""
        messages = self._take(wanted, fate)
        if messages or not wanted.wait_seconds:
            answer(messages)
            return
        poll = _Waiting(wanted, fate, answer)
        self._waiting.append(poll)
        self.scheduler.after(wanted.wait_seconds, self._end_poll, poll, [])
        self._wake()

    def delete(self, messages: Sequence[Message], fate: Fate, answer: Answer) -> None:
        """Remove messages; where its answer is lost, perhaps only some."""
        results: dict[str, EntryFault | None] = {}
        for message in sorted(messages, key=_receipt):
            if fault := self._entry_fault("delete", fate):
                results[message.receipt] = fault
            elif self._remove(message.receipt):
                results[message.receipt] = None
                if self.struck("copies_after_delete", "delete"):
                    self.put(message_body := self._deleted_body, after=self.random.uniform(0, 30))
                    self.trace("queue", f"a copy of {identity(message_body)[:8]} comes again")
            else:
                is_silent = message.receipt in self._deleted or self.random.random() < 0.5
                results[message.receipt] = None if is_silent else _STALE
        answer([results[message.receipt] for message in messages])

    def change_visibility(
        self, messages: Sequence[Message], visibility_seconds: float, fate: Fate, answer: Answer
    ) -> None:
        """Set how long messages are hidden from now."""
        results: dict[str, EntryFault | None] = {}
        for message in sorted(messages, key=_receipt):
            stored = self._held(message.receipt)
            if fault := self._entry_fault("change_visibility", fate):
                results[message.receipt] = fault
            elif stored is None:
                results[message.receipt] = _STALE
            elif stored.visible_at <= self.scheduler.now and self.random.random() < 0.5:
                results[message.receipt] = EntryFault("MessageNotInflight")
            else:
                stored.visible_at = self.scheduler.now + visibility_seconds
                results[message.receipt] = None
        answer([results[message.receipt] for message in messages])
        self._wake()

    def dead_letter(self, message: Message, reason: str, answer: Answer) -> None:
        """Move a message: durable there before it is gone from here."""
        stored = self._held(message.receipt)
        if self.struck("no_dead_letter_queue", "dead_letter"):
            if stored:
                stored.visible_at = self.scheduler.now + _LONGEST_SECONDS
            answer(NoDeadLetterQueueError("the queue has no dead-letter queue"))
            return
        if window := self.struck("dead_letter_outage", "dead_letter"):
            if window.random.random() < 0.5:
                self.dead_letters.append(DeadLetter(message.body, reason))
            answer(self.error("dead_letter: unavailable"))
            return
        if stored or self.random.random() < 0.5:
            self.dead_letters.append(DeadLetter(message.body, reason))
        self._remove(message.receipt)
        answer(None)

    def _entry_fault(self, operation: str, fate: Fate) -> EntryFault | None:
        if self.struck("partial_failures", operation):
            return EntryFault("InternalError", is_transient=self.random.random() < 0.8)
        if fate.answer_is_lost and self.random.random() < 0.3:
            return EntryFault("InternalError", is_transient=True)
        return None

    def _take(self, wanted: Wanted, fate: Fate) -> list[Message]:
        now, at_most = self.scheduler.now, wanted.at_most
        visible = [(number, stored) for number, stored in self.stored.items() if stored.visible_at <= now]
        if not visible:
            return []
        self.random.shuffle(visible)
        if self.random.random() < 0.1:
            at_most = self.random.randint(1, at_most)  # "There may be fewer than asked for although more are visible"
        taken: list[Message] = []
        for number, stored in visible:
            if len(taken) == at_most:
                break
            if stored.receive_count >= self._max_receives:
                del self.stored[number]
                self.dead_letters.append(DeadLetter(stored.body, REDRIVEN))
                self.trace("queue", f"{identity(stored.body)[:8]} was received too often")
                continue
            if fate.is_harmed:
                if stored.harm >= _MOST_HARM:
                    continue
                stored.harm += 1
            stored.receive_count += 1
            stored.receipt = f"{number}-{stored.receive_count}"
            if stored.harm < _MOST_HARM and self.struck("duplicates", "receive"):
                stored.harm += 1
                self.scheduler.after(self.random.uniform(0, 1), self._wake)
            else:
                stored.visible_at = now + wanted.visibility_seconds
            taken.append(Message(stored.body, stored.receipt, stored.receive_count))
        return taken

    def _held(self, receipt: str) -> _Stored | None:
        stored = self.stored.get(receipt.partition("-")[0])
        return stored if stored and stored.receipt == receipt else None

    def _remove(self, receipt: str) -> bool:
        if (stored := self._held(receipt)) is None:
            return False
        self._deleted_body = stored.body
        self._deleted.add(receipt)
        del self.stored[receipt.partition("-")[0]]
        return True

    def _end_poll(self, poll: _Waiting, messages: list[Message]) -> None:
        if not poll.has_ended:
            poll.has_ended = True
            self._waiting.remove(poll)
            poll.answer(messages)

    def _wake(self) -> None:
        """Give what is visible to the polls that wait; look again when the next message becomes visible."""
        if not self._waiting:
            return
        now = self.scheduler.now
        polls = list(self._waiting)
        self.random.shuffle(polls)
        for poll in polls:
            # A caller that hung up may or may not be noticed; if not, it takes messages with it.
            if poll.wanted.is_gone() and self.random.random() < 0.5:
                self._end_poll(poll, [])
            elif messages := self._take(poll.wanted, poll.fate):
                self._end_poll(poll, messages)
        if self._waiting:
            next_at = min((each.visible_at for each in self.stored.values() if each.visible_at > now), default=now)
            if next_at > now and not now < self._wakes_at <= next_at:
                self._wakes_at = next_at
                self.scheduler.after(next_at - now, self._wake)


def _receipt(message: Message) -> str:
    return message.receipt


class QueueOfProcess:
    """Both halves of the queue, as one process has them.

    sending: told of each send as it begins; what it gives is told of the send's result, as the process reads it.
    """

    def __init__(
        self,
        model: QueueModel,
        process: Process,
        limits: Limits,
        *,
        knows_limits: bool,
        sending: Callable[[Sequence[bytes]], Callable[[Sequence[EntryFault | None]], None]] | None = None,
    ) -> None:
        self._model = model
        self._process = process
        self._limits = limits
        self.limits = (
            limits
            if knows_limits
            else Limits(limits.entries, limits.payload_bytes, None, limits.calls_at_once, limits.linger_seconds)
        )
        self._sending = sending

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        sent = self._sending(bodies) if self._sending else None
        faults: list[EntryFault | None] = await self._call(
            "send", lambda fate, answer: self._model.send(bodies, fate, answer), about=self._names(bodies)
        )
        if sent:
            sent(faults)
        return faults

    async def probe(self) -> None:
        await self._call("probe", lambda _, answer: self._model.probe(answer))
        self.limits = self._limits

    async def depth(self) -> Depth:
        measured: Depth = await self._call("depth", lambda _, answer: self._model.depth(answer))
        return measured

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        loop = self._process.loop
        assert loop is not None
        is_over = False
        wanted = Wanted(at_most, wait_seconds, visibility_seconds, lambda: is_over or loop.is_dead)
        try:
            messages: list[Message] = await self._call(
                "receive",
                lambda fate, answer: self._model.receive(wanted, fate, answer),
                seconds=wait_seconds + CALL_SECONDS,
            )
        finally:
            is_over = True
        return messages

    async def delete(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        faults: list[EntryFault | None] = await self._call(
            "delete", lambda fate, answer: self._model.delete(messages, fate, answer), about=_receipts(messages)
        )
        return faults

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        faults: list[EntryFault | None] = await self._call(
            "change_visibility",
            lambda fate, answer: self._model.change_visibility(messages, visibility_seconds, fate, answer),
            about=f"{visibility_seconds} s {_receipts(messages)}",
        )
        return faults

    async def dead_letter(self, message: Message, reason: str) -> None:
        await self._call(
            "dead_letter",
            lambda _, answer: self._model.dead_letter(message, reason, answer),
            seconds=3 * CALL_SECONDS,
            about=f"{message.receipt} {reason}",
        )

    async def _call(
        self,
        operation: str,
        effect: Callable[[Fate, Answer], None],
        *,
        seconds: float = CALL_SECONDS,
        about: str = "",
    ) -> Any:
        return await self._model.call(self._process, operation, effect, seconds=seconds, about=about)

    def _names(self, bodies: Sequence[bytes]) -> str:
        return " ".join(identity(body)[:8] for body in bodies) if self._model.trace.is_read else ""


def _receipts(messages: Sequence[Message]) -> str:
    return " ".join(sorted(map(_receipt, messages)))
