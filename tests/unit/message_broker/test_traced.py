"""What a broker with traces tells of each delivery."""

from __future__ import annotations

from checkpoint.operations.tracing import Kind
from emails import body, email
from unit.message_broker.running_broker import RunningBroker
from unit.recorded_spans import RecordedSpan, RecordedTracing

SENDERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def moved(bodies: list[bytes], *, samples: bool = True) -> tuple[RecordedTracing, RunningBroker]:
    tracing = RecordedTracing(samples)
    broker = RunningBroker(tracing=tracing)
    await broker.queue.send_traced(bodies, [SENDERS] * len(bodies))
    async with broker.running():
        await broker.drained()
    return tracing, broker


async def test_a_delivery_is_a_span_below_its_sender_and_the_put_one_below_that() -> None:
    tracing, _ = await moved([body()])

    [delivery, put] = tracing.spans
    assert (delivery.name, delivery.kind, delivery.parent) == ("process queue.db", Kind.CONSUMER, SENDERS)
    assert (put.name, put.kind, put.parent) == ("put file", Kind.CLIENT, delivery)
    assert [(span.ends, span.failed) for span in tracing.spans] == [(1, None)] * 2
    assert delivery.attributes["checkpoint.outcome"] == "created"
    assert delivery.attributes["checkpoint.message_id"] == email().identity
    assert put.attributes["checkpoint.object.created"] is True


async def test_what_is_not_sampled_has_no_span_of_its_put() -> None:
    tracing, broker = await moved([body()], samples=False)

    [delivery] = tracing.spans
    assert (delivery.kind, delivery.ends) == (Kind.CONSUMER, 1)
    assert list(broker.store.objects.values()) == [body()]


async def test_deliveries_at_the_same_time_keep_their_puts_apart() -> None:
    tracing, _ = await moved([body(timestream=str(number)) for number in range(20)])

    puts = [span for span in tracing.spans if span.kind is Kind.CLIENT]
    assert len(puts) == 20
    identities = {span.traceparent: span.attributes["checkpoint.message_id"] for span in tracing.spans}
    for put in puts:
        assert isinstance(put.parent, RecordedSpan)
        assert identities[put.traceparent] == identities[put.parent.traceparent]


async def test_a_message_that_is_no_email_fails_its_span_by_its_outcome() -> None:
    tracing, broker = await moved([b"s3cret nonsense"])

    [delivery] = tracing.spans
    assert len(broker.queue.dead_letters) == 1
    assert (delivery.failed, delivery.ends) == ("dead_lettered", 1)
    assert "s3cret" not in str(delivery.attributes)


async def test_each_attempt_of_a_put_is_a_span_and_one_that_fails_tells_the_kind_of_its_error() -> None:
    tracing = RecordedTracing()
    broker = RunningBroker(tracing=tracing)
    broker.store.unavailable = "s3cret reason"
    await broker.queue.send([body()])

    async with broker.running():
        await broker.until(lambda: any(span.failed for span in tracing.spans))
        broker.store.unavailable = None
        await broker.drained()

    puts = [span for span in tracing.spans if span.kind is Kind.CLIENT]
    assert [span.failed for span in puts] == ["ArchiveUnavailableError"] * (len(puts) - 1) + [None]
    assert len(puts) > 1
    assert tracing.spans[0].parent is None
    assert "s3cret" not in str([(span.attributes, span.failed) for span in tracing.spans])


async def test_a_delivery_that_a_stop_releases_ends_its_span() -> None:
    tracing = RecordedTracing()
    broker = RunningBroker(tracing=tracing, grace_seconds=0.01)
    broker.store.let.clear()
    await broker.queue.send([body()])

    async with broker.running():
        await broker.until(lambda: broker.store.calls)

    [delivery, put] = tracing.spans
    assert (delivery.attributes["checkpoint.outcome"], delivery.failed) == ("released", "CancelledError")
    assert [delivery.ends, put.ends] == [1, 1]
