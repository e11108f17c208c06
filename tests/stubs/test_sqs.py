"""The SQS stub, asked by the client that the queue's adapter uses."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.config import AioConfig
from botocore.exceptions import ClientError

from checkpoint.aws import open_client
from checkpoint.message_queue.adapters import open_receiving, open_sending
from checkpoint.message_queue.port import QueueUnavailableError
from stubs.processes import process
from stubs.sqs import SQSStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from types_aiobotocore_sqs import SQSClient

    from checkpoint.message_queue.port import ReceivingQueue, SendingQueue


@pytest.fixture
async def sqs(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SQSStub]:
    async with SQSStub(max_receives=3) as stub:
        for name, value in stub.environment.items():
            monkeypatch.setenv(name, value)
        yield stub


@pytest.fixture
async def sending(sqs: SQSStub) -> AsyncIterator[SendingQueue]:
    async with open_sending(sqs.queue_url) as queue:
        yield queue


@pytest.fixture
async def receiving(sqs: SQSStub) -> AsyncIterator[ReceivingQueue]:
    async with open_receiving(sqs.queue_url) as queue:
        yield queue


@pytest.fixture
async def client(sqs: SQSStub) -> AsyncIterator[SQSClient]:
    assert sqs.url
    async with open_client("sqs", config=AioConfig(retries={"total_max_attempts": 1})) as opened:
        yield opened


async def test_what_is_sent_is_received_once_and_deleted(
    sqs: SQSStub, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    bodies = [f"number {number} é \U0001f600".encode() for number in range(10)]
    await sending.probe()
    assert await sending.send(bodies) == [None] * 10

    messages = await receiving.receive(10, wait_seconds=0, visibility_seconds=30)
    assert [(message.body, message.receive_count) for message in messages] == [(body, 1) for body in bodies]
    assert await receiving.receive(10, wait_seconds=0, visibility_seconds=30) == []
    assert (sqs.queue.visible, sqs.queue.in_flight) == (0, 10)

    assert await receiving.delete(messages) == [None] * 10
    assert (sqs.queue.received, sqs.queue.deleted, sqs.queue.in_flight) == (10, 10, 0)
    assert sqs.calls == {"GetQueueAttributes": 2, "SendMessageBatch": 1, "ReceiveMessage": 2, "DeleteMessageBatch": 1}


async def test_a_message_that_is_not_deleted_comes_again_when_its_visibility_timeout_is_over(
    sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"body"])
    await receiving.receive(1, wait_seconds=0, visibility_seconds=1)
    asked_at = time.monotonic()

    [again] = await receiving.receive(1, wait_seconds=5, visibility_seconds=1)

    assert again.receive_count == 2
    assert 0.5 < time.monotonic() - asked_at < 4


async def test_a_released_message_comes_again_at_once_and_its_old_receipt_does_nothing(
    sqs: SQSStub, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"body"])
    [first] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)
    assert await receiving.change_visibility([first], 0) == [None]
    [fault] = await receiving.change_visibility([first], 30)
    assert fault
    assert fault.reason.endswith("MessageNotInflight")

    [again] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)

    assert again.receive_count == 2
    assert await receiving.delete([first]) == [None]
    assert sqs.queue.in_flight == 1
    [fault] = await receiving.change_visibility([first], 30)
    assert fault
    assert await receiving.delete([again]) == [None]
    assert sqs.queue.in_flight == 0


async def test_a_message_stays_hidden_for_as_long_as_its_visibility_is_changed_to(
    sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"body"])
    messages = await receiving.receive(1, wait_seconds=0, visibility_seconds=1)
    assert await receiving.change_visibility(messages, 30) == [None]
    assert await receiving.receive(1, wait_seconds=2, visibility_seconds=1) == []


async def test_a_message_that_is_deleted_after_its_visibility_timeout_does_not_come_again(
    sqs: SQSStub, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"body"])
    messages = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)
    await receiving.change_visibility(messages, 0)
    assert await receiving.delete(messages) == [None]
    assert sqs.queue.visible == 0
    assert await receiving.receive(1, wait_seconds=0, visibility_seconds=30) == []


async def test_a_long_poll_ends_with_the_first_message(sending: SendingQueue, receiving: ReceivingQueue) -> None:
    began = time.monotonic()
    polling = asyncio.create_task(receiving.receive(10, wait_seconds=20, visibility_seconds=30))
    await asyncio.sleep(0)
    await sending.send([b"body"])
    assert len(await polling) == 1
    assert time.monotonic() - began < 10


async def test_a_long_poll_whose_receiver_went_away_takes_nothing(
    sqs: SQSStub, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    polling = asyncio.create_task(receiving.receive(10, wait_seconds=20, visibility_seconds=30))
    async with asyncio.timeout(5):
        while not sqs.calls["ReceiveMessage"]:  # noqa: ASYNC110  the stub tells nobody
            await asyncio.sleep(0.001)
    polling.cancel()
    await asyncio.wait([polling])
    await sending.send([b"body"])
    assert len(await receiving.receive(10, wait_seconds=5, visibility_seconds=30)) == 1


async def test_a_message_received_too_often_goes_to_the_dead_letter_queue(
    sqs: SQSStub, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"body"])
    for _ in range(3):
        await receiving.change_visibility(await receiving.receive(1, wait_seconds=0, visibility_seconds=30), 0)
    assert await receiving.receive(1, wait_seconds=0, visibility_seconds=30) == []
    assert (sqs.queue.in_flight, sqs.dead_letters.visible) == (0, 1)


async def test_a_dead_letter_keeps_its_reason(
    sqs: SQSStub, client: SQSClient, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"body"])
    [message] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)
    await receiving.dead_letter(message, "because")
    assert sqs.queue.deleted == 1
    reply = await client.receive_message(QueueUrl=f"{sqs.queue_url}-dead", MessageAttributeNames=["All"])
    [letter] = reply["Messages"]
    assert (letter["Body"], letter["MessageAttributes"]["reason"]["StringValue"]) == ("body", "because")


async def test_the_attributes_of_the_queue_are_as_asked_for(client: SQSClient, sqs: SQSStub) -> None:
    reply = await client.get_queue_attributes(QueueUrl=sqs.queue_url, AttributeNames=["All"])
    attributes = reply["Attributes"]
    assert json.loads(attributes.pop("RedrivePolicy")) == {
        "deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:queue-dead",
        "maxReceiveCount": 3,
    }
    assert attributes == {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "MaximumMessageSize": "262144",
        "QueueArn": "arn:aws:sqs:us-east-1:000000000000:queue",
    }


async def test_a_body_that_sqs_refuses_fails_alone(sqs: SQSStub, sending: SendingQueue) -> None:
    faults = await sending.send([b"before", b"\x01", b"after"])
    assert [fault and fault.reason for fault in faults] == [None, "InvalidMessageContents", None]
    [fault] = await sending.send([b"x" * (sqs.queue.maximum_message_size + 1)])
    assert fault
    assert fault.reason == "InvalidParameterValue"
    assert sqs.queue.visible == 2


async def test_a_queue_that_is_not_there_is_refused_with_its_code(sqs: SQSStub) -> None:
    async with open_sending(f"{sqs.queue_url}-none") as queue:
        with pytest.raises(QueueUnavailableError, match="NonExistentQueue"):
            await queue.probe()


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("receive_message", {"MaxNumberOfMessages": 11}, "InvalidParameterValue"),
        ("receive_message", {"WaitTimeSeconds": 21}, "InvalidParameterValue"),
        ("delete_message_batch", {"Entries": []}, "AWS.SimpleQueueService.EmptyBatchRequest"),
        (
            "delete_message_batch",
            {"Entries": [{"Id": str(number), "ReceiptHandle": "x"} for number in range(11)]},
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        ),
        (
            "delete_message_batch",
            {"Entries": [{"Id": "0", "ReceiptHandle": "x"}] * 2},
            "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        ),
        ("purge_queue", {}, "UnknownOperationException"),
    ],
)
async def test_a_call_that_sqs_refuses_has_its_code(
    client: SQSClient, sqs: SQSStub, operation: str, asked: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        await getattr(client, operation)(QueueUrl=sqs.queue_url, **asked)
    assert caught.value.response["Error"]["Code"] == code


async def test_a_receipt_that_is_none_is_refused_alone(client: SQSClient, sqs: SQSStub) -> None:
    reply = await client.delete_message_batch(
        QueueUrl=sqs.queue_url, Entries=[{"Id": "0", "ReceiptHandle": "no-receipt"}]
    )
    assert [(each["Id"], each["Code"]) for each in reply["Failed"]] == [("0", "ReceiptHandleIsInvalid")]


async def test_as_a_process_it_counts_what_is_asked_of_it_and_answers_after_its_latency(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waiting = tmp_path / "bodies"
    waiting.write_text("\n".join(f"body {number}" for number in range(41)))
    with process("stubs.sqs", "--bodies", str(waiting), "--latency", "0.2") as url:
        for name, value in SQSStub().environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        async with open_receiving(url) as receiving:
            [first] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)  # it asks for limits
            began = time.monotonic()
            calls = (receiving.receive(10, wait_seconds=0, visibility_seconds=30) for _ in range(4))
            received = await asyncio.gather(*calls)
            assert time.monotonic() - began >= 0.2
            assert {message.body for batch in received for message in batch} == {
                f"body {number}".encode() for number in range(1, 41)
            }
            assert first.body == b"body 0"
            await receiving.delete(received[0])
        counts = counts_at(url)
    assert counts["calls"] == {"GetQueueAttributes": 1, "ReceiveMessage": 5, "DeleteMessageBatch": 1}
    assert counts["most_in_flight"] == {"GetQueueAttributes": 1, "ReceiveMessage": 4, "DeleteMessageBatch": 1}
    assert (counts["received"], counts["deleted"]) == (41, 10)
    assert counts["last_deleted_at"] - counts["first_received_at"] >= 0.2


def counts_at(queue_url: str) -> dict[str, Any]:
    url = queue_url.replace("/000000000000/queue", "/counts")
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  http, loopback
        counts: dict[str, Any] = json.load(response)
        return counts
