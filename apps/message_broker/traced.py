"""The broker with spans: of each delivery, and of each call that puts its e-mail into the archive.

What of it is not traced is in the classes that these extend, so that a broker without traces does no more than before.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from checkpoint.archive.archive import Archive
from checkpoint.operations.tracing import Kind, current, within
from message_broker.message_broker import Broker

if TYPE_CHECKING:
    from checkpoint.archive.archive import PutResult
    from checkpoint.email import Email
    from checkpoint.operations.messaging_spans import Destination
    from checkpoint.operations.tracing import Attributes, Tracing
    from message_broker.in_flight import Delivery
    from message_broker.metrics import Outcome


class TracedArchive(Archive):
    """An archive with a span for each put, below that of the delivery. system: the scheme of its URL.

    There is no object's name in it: that holds what the e-mail says of its time.
    """

    def __init__(self, archive: Archive, tracing: Tracing, system: str) -> None:
        self._archive = archive
        self._tracing = tracing
        self._system = system

    async def put(self, email: Email) -> PutResult:
        """As `Archive` says."""
        delivery = current.get()
        if delivery and not delivery.is_sampled:  # what no span would tell is not worth its time
            return await self._archive.put(email)
        attributes: Attributes = {
            "checkpoint.archive.system": self._system,
            "checkpoint.message_id": email.identity,
            "checkpoint.object.size": len(email.body),
        }
        span = self._tracing.start(f"put {self._system}", Kind.CLIENT, attributes, parent=delivery)
        try:
            result = await self._archive.put(email)
            span.set("checkpoint.object.created", result.created)
        except BaseException as error:
            span.fail(type(error).__name__)
            raise
        finally:
            span.end()
        return result

    async def probe(self) -> None:
        """As `Archive` says."""
        await self._archive.probe()


@dataclass(eq=False, kw_only=True)
class TracedBroker(Broker):
    """A broker with a span for each delivery, from its receive to its end here, below that of the message's sender."""

    tracing: Tracing
    destination: Destination

    async def _move(self, delivery: Delivery) -> None:
        message = delivery.message
        attributes: Attributes = {
            **self.destination.attributes("process", "process"),
            "messaging.message.body.size": len(message.body),
            "checkpoint.message_id": sha256(message.body).hexdigest(),
            "checkpoint.receive_count": message.receive_count,
        }
        name = self.destination.span_name("process")
        span = self.tracing.start(name, Kind.CONSUMER, attributes, parent=message.traceparent)
        try:
            with within(span):
                await super()._move(delivery)
        finally:
            span.end()

    async def _process(self, delivery: Delivery) -> Outcome:
        span = current.get()
        try:
            outcome = await super()._process(delivery)
        except BaseException as error:
            if span:
                span.set("checkpoint.outcome", "released")
                span.fail(type(error).__name__)
            raise
        if span:
            span.set("checkpoint.outcome", outcome)
            if outcome not in ("created", "already_there"):
                span.fail(outcome)
        return outcome
