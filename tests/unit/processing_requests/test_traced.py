"""What an intake with traces tells of its requests, and what it sends with their e-mails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.memory import MemoryQueue
from checkpoint.message_queue.port import EntryFault
from checkpoint.operations.messaging_spans import Destination
from checkpoint.operations.tracing import Kind
from processing_requests.service import build
from processing_requests.settings import IntakeSettings
from processing_requests.traced import TracedBody, TracedQueue
from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import JSON, TOKEN, email, posted
from unit.processing_requests.waiting import until
from unit.recorded_spans import RecordedTracing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checkpoint.message_queue.port import SendingQueue

CLIENTS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
REQUEST = "POST /process_request"


async def test_a_request_its_way_to_the_queue_and_the_call_are_spans_one_below_the_other() -> None:
    tracing = RecordedTracing()
    intake = Intake(tracing=tracing)
    await intake.service.sender.queue.probe()

    response = await intake.post(headers=JSON | {"traceparent": CLIENTS})

    assert response.status_code == 200
    [request, send, call] = tracing.spans
    assert [span.name for span in tracing.spans] == [REQUEST, "send queue.db", "send_batch queue.db"]
    assert [span.kind for span in tracing.spans] == [Kind.SERVER, Kind.PRODUCER, Kind.CLIENT]
    assert [span.parent for span in tracing.spans] == [CLIENTS, request, send]
    assert [(span.ends, span.failed) for span in tracing.spans] == [(1, None)] * 3
    assert intake.queue.traceparents == [[send.traceparent]]
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["checkpoint.message_id"] == response.headers["X-Message-Id"]
    assert call.attributes["messaging.batch.message_count"] == 1


async def test_without_a_traceparent_of_the_client_the_request_begins_a_trace() -> None:
    tracing = RecordedTracing()
    intake = Intake(tracing=tracing)

    await intake.post()

    assert not tracing.spans[0].parent


async def test_several_emails_share_a_call_whose_span_is_below_the_first_and_linked_to_the_others() -> None:
    tracing = RecordedTracing()
    intake = Intake(tracing=tracing)
    intake.queue.flowing.clear()
    first = asyncio.create_task(intake.post_data(email_timestream="1"))
    await until(lambda: intake.queue.calls)
    others = [asyncio.create_task(intake.post_data(email_timestream=str(number))) for number in (2, 3, 4)]
    await until(lambda: intake.waiting == 4)

    intake.queue.flowing.set()
    await asyncio.gather(first, *others)

    sends = tracing.named("send queue.db")
    [_, shared] = tracing.named("send_batch queue.db")
    assert shared.parent == sends[1]
    assert shared.links == sends[2:]
    assert shared.attributes["messaging.batch.message_count"] == 3
    assert intake.queue.traceparents == [[sends[0].traceparent], [span.traceparent for span in sends[1:]]]


async def test_what_is_not_sampled_has_no_spans_below_it_and_is_carried_on_all_the_same() -> None:
    tracing = RecordedTracing(samples=False)
    intake = Intake(tracing=tracing)

    await intake.post()

    [request] = tracing.spans
    assert request.ends == 1
    assert intake.queue.traceparents == [[request.traceparent]]


async def test_a_refused_request_has_one_span_with_its_status_and_is_no_failure_of_the_service() -> None:
    tracing = RecordedTracing()
    intake = Intake(tracing=tracing)

    await intake.post(posted(email(), token="wr0ng"))

    [request] = tracing.spans
    assert (request.attributes["http.response.status_code"], request.failed, request.ends) == (401, None, 1)


async def test_an_outage_of_the_queue_fails_all_three_spans_by_its_kind() -> None:
    tracing = RecordedTracing()
    intake = Intake(tracing=tracing)
    intake.queue.unavailable = "s3cret reason"

    assert (await intake.post()).status_code == 503

    assert [span.failed for span in tracing.spans] == ["503", "Queue unavailable", "QueueUnavailableError"]
    assert [span.ends for span in tracing.spans] == [1, 1, 1]
    assert "s3cret" not in str(tracing.spans)


async def test_an_email_that_finds_no_room_ends_its_spans() -> None:
    tracing = RecordedTracing()
    intake = Intake(tracing=tracing, max_waiting_bytes=1)
    intake.queue.flowing.clear()
    first = asyncio.create_task(intake.post())
    await until(lambda: intake.waiting)

    assert (await intake.post()).status_code == 503

    intake.queue.flowing.set()
    await first
    assert {span.ends for span in tracing.spans} == {1}
    assert tracing.named("send queue.db")[1].failed == "Overloaded"


async def test_nothing_of_an_email_or_a_token_is_in_a_span() -> None:
    tracing = RecordedTracing()
    intake = Intake(tracing=tracing)

    await intake.post()
    await intake.post(posted(email(email_subject=3), token="s3cret"))

    told = str([(span.name, span.attributes, span.failed) for span in tracing.spans])
    for member in ("Your Subject", "Your Sender", "Your Content", "1706213694", TOKEN, "s3cret"):
        assert member not in told


async def test_what_is_left_of_the_queues_volume_is_measured_with_traces_too() -> None:
    class Local(MemoryQueue):
        def free_bytes(self) -> int:
            return 7

    service = build(IntakeSettings(), Local(), tracing=RecordedTracing())

    assert service.metrics.registry.get_sample_value("checkpoint_volume_free_bytes", {"volume": "queue"}) == 7


@pytest.mark.parametrize("queue", [MemoryQueue(), None], ids=["with a place for traceparents", "without"])
async def test_a_queue_without_a_place_for_traceparents_is_sent_to_all_the_same(queue: SendingQueue | None) -> None:
    class Plain:
        limits = MemoryQueue().limits
        sent: Sequence[bytes] = ()

        async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
            self.sent = bodies
            return [EntryFault("It is bad."), None]

        async def probe(self) -> None:
            pass

    tracing = RecordedTracing()
    body = TracedBody(b"traced")
    body.span = tracing.start("send", Kind.PRODUCER, {})

    faults = await TracedQueue(queue or Plain(), tracing, Destination("memory", "a")).send([body, b"untraced"])

    assert [fault is None for fault in faults] == [queue is not None, True]
    assert tracing.spans[1].failed == (None if queue else "partial_failure")
