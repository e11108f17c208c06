"""What only an SQS queue does: batches that succeed in part, a dead-letter queue by policy, a region by URL."""

from __future__ import annotations

import asyncio
import json
import traceback
from hashlib import md5, sha256
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import pytest
from botocore.exceptions import ParamValidationError
from botocore.parsers import ResponseParserError

from checkpoint.message_queue.port import Message, NoDeadLetterQueueError, QueueUnavailableError, TracedSendingQueue
from checkpoint.message_queue.sqs.adapter import open_receiving, open_sending
from checkpoint.message_queue.sqs.calls import confirmed
from checkpoint.message_queue.sqs.queue import SQSReceivingQueue, SQSSendingQueue
from contract.queues import SQS, reason
from stubs.sqs import SQSStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from types_aiobotocore_sqs import SQSClient

    from emulator import Emulator

URL = "https://sqs.eu-west-3.amazonaws.com/766537570218/my_sqs"
ARN = {"QueueArn": "arn:aws:sqs:eu-west-3:766537570218:my_sqs"}
MESSAGE = Message(b"a body", "a-receipt", 1)
TRACED = "traceparent"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class FakeClient:
    """Answers every call with the same reply, and remembers what was asked."""

    def __init__(self, **reply: Any) -> None:
        self.reply = reply
        self.asked: list[dict[str, Any]] = []

    async def answer(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return self.reply

    change_message_visibility_batch = delete_message_batch = get_queue_attributes = answer
    receive_message = send_message = send_message_batch = answer

    @property
    def client(self) -> SQSClient:
        return cast("SQSClient", self)


def digest(body: bytes) -> str:
    return md5(body, usedforsecurity=False).hexdigest()


async def test_a_body_that_sqs_refuses_fails_alone(sqs: SQS) -> None:
    async with sqs.open() as (sending, _):
        faults = await sending.send([b"before", b"\x01 is no character for SQS", b"after"])

    assert [fault and fault.reason for fault in faults] == [None, "InvalidMessageContents", None]
    assert sorted(sqs.bodies()) == [b"after", b"before"]


async def test_a_body_that_sqs_stored_otherwise_is_not_confirmed() -> None:
    successful = [{"Id": "0", "MD5OfMessageBody": digest(b"first")}, {"Id": "1", "MD5OfMessageBody": digest(b"other")}]
    sending = SQSSendingQueue(FakeClient(Successful=successful).client, URL)

    first, second = await sending.send([b"first", b"second"])

    assert first is None
    assert second is not None
    assert "MD5OfMessageBody" in second.reason


async def test_an_entry_that_the_reply_does_not_name_is_not_confirmed() -> None:
    client = FakeClient(Successful=[{"Id": "1", "MD5OfMessageBody": digest(b"second")}]).client

    assert [fault is None for fault in await SQSSendingQueue(client, URL).send([b"first", b"second"])] == [False, True]
    for call in (
        SQSReceivingQueue(client, URL).delete([MESSAGE]),
        SQSReceivingQueue(client, URL).change_visibility([MESSAGE], 1),
    ):
        [fault] = await call
        assert fault is not None


async def test_an_entry_that_the_reply_names_twice_is_not_confirmed() -> None:
    client = FakeClient(Successful=[{"Id": "0"}], Failed=[{"Id": "0", "Code": "InternalError", "SenderFault": False}])

    [fault] = await SQSReceivingQueue(client.client, URL).delete([MESSAGE])

    assert fault is not None
    assert fault.reason == "InternalError"


@pytest.mark.parametrize(("failed", "is_transient"), [({"SenderFault": False}, True), ({"SenderFault": True}, False)])
async def test_a_fault_of_sqs_itself_is_transient(failed: dict[str, bool], is_transient: bool) -> None:  # noqa: FBT001
    client = FakeClient(Failed=[{"Id": "0", "Code": "SomeCode", **failed}])

    [fault] = await SQSReceivingQueue(client.client, URL).delete([MESSAGE])

    assert fault is not None
    assert fault.is_transient is is_transient


@pytest.fixture
async def stub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SQSStub]:
    """A queue that counts attributes as SQS does, and this process led to it."""
    async with SQSStub() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.parametrize(("spare_bytes", "attached"), [(71, 0), (72, 1), (143, 1), (144, 2)])
async def test_a_traceparent_goes_where_message_and_call_have_room_for_its_name_type_and_value(
    stub: SQSStub, spare_bytes: int, attached: int
) -> None:
    async with open_sending(stub.queue_url) as sending, open_receiving(stub.queue_url) as receiving:
        assert isinstance(sending, TracedSendingQueue)
        await sending.probe()
        spare = sending.limits.payload_bytes - spare_bytes
        bodies = [b"a" * (spare // 2), b"b" * (spare - spare // 2)]

        assert await sending.send_traced(bodies, [TRACEPARENT] * 2) == [None] * 2

        messages = await receiving.receive(10, wait_seconds=0, visibility_seconds=30)
    assert sorted(message.body for message in messages) == bodies
    assert [message.traceparent for message in messages].count(TRACEPARENT) == attached


@pytest.mark.parametrize(("spare_bytes", "is_attached"), [(71, False), (72, True)])
async def test_a_body_leaves_room_for_its_traceparent_by_the_queues_own_limit(
    stub: SQSStub, spare_bytes: int, *, is_attached: bool
) -> None:
    async with open_sending(stub.queue_url) as sending, open_receiving(stub.queue_url) as receiving:
        stub.queue.maximum_message_size = 2_048
        assert isinstance(sending, TracedSendingQueue)
        await sending.probe()

        assert await sending.send_traced([b"a" * (2_048 - spare_bytes)], [TRACEPARENT]) == [None]

        [message] = await receiving.receive(10, wait_seconds=0, visibility_seconds=30)
    assert message.traceparent == (TRACEPARENT if is_attached else None)


async def test_a_message_tells_when_it_was_sent_and_no_traceparent_that_is_none() -> None:
    base = {"MessageId": "id", "ReceiptHandle": "a-receipt", "Body": "a body", "MD5OfBody": digest(b"a body")}
    texts = ["x" * 56, "\u20ac" * len(TRACEPARENT), ""]
    foreign = [{"DataType": "String", "StringValue": text} for text in texts]
    binary = {"DataType": "Binary", "BinaryValue": TRACEPARENT.encode()}
    attributes = [*({"traceparent": each} for each in (*foreign, binary, {})), {}]
    messages = [base | {"MessageAttributes": each, "Attributes": {"SentTimestamp": "7001"}} for each in attributes]
    fake = FakeClient(Messages=[*messages, base])

    received = await SQSReceivingQueue(fake.client, URL).receive(10, wait_seconds=0, visibility_seconds=1)

    assert [(message.sent_at, message.traceparent) for message in received] == [(7.001, None)] * 6 + [(None, None)]


@pytest.mark.parametrize(("spare_bytes", "attached"), [(19, {"reason"}), (90, {"reason"}), (91, {"reason", TRACED})])
async def test_a_dead_letter_keeps_its_traceparent_where_the_whole_reason_leaves_room(
    spare_bytes: int, attached: set[str]
) -> None:
    policy = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:eu-west-3:766537570218:dead"})
    body = b"x" * (4_096 - spare_bytes)
    attributes = ARN | {"RedrivePolicy": policy, "MaximumMessageSize": "4096"}
    fake = FakeClient(
        Attributes=attributes, MD5OfMessageBody=digest(body), MessageId="id", Successful=[{"Id": "0"}], Messages=[]
    )
    receiving = SQSReceivingQueue(fake.client, URL)
    await receiving.receive(1, wait_seconds=0, visibility_seconds=1)

    await receiving.dead_letter(Message(body, "a-receipt", 1, traceparent=TRACEPARENT), "because")

    [sent] = [asked for asked in fake.asked if "MessageBody" in asked]
    assert set(sent["MessageAttributes"]) == attached
    size = sum(
        len(f"{name}{value['DataType']}{value['StringValue']}") for name, value in sent["MessageAttributes"].items()
    )
    assert len(body) + size <= 4_096


async def test_a_body_damaged_on_the_way_is_not_received(capsys: pytest.CaptureFixture[str]) -> None:
    bodies = {"whole": digest(b"whole"), "damaged": digest(b"undamaged"), "\ud800": digest(b"undamaged")}
    messages = [
        {"MessageId": f"id-{place}", "ReceiptHandle": "a-receipt", "Body": body, "MD5OfBody": body_digest}
        for place, (body, body_digest) in enumerate(bodies.items())
    ]
    receiving = SQSReceivingQueue(FakeClient(Messages=messages).client, URL)

    received = await receiving.receive(10, wait_seconds=0, visibility_seconds=1)

    assert [message.body for message in received] == [b"whole"]
    logged = capsys.readouterr().out.splitlines()
    assert len(logged) == 2
    for line, message_id in zip(logged, ("id-1", "id-2"), strict=True):
        assert "message_corrupted" in line
        assert message_id in line
        assert "damaged" not in line


async def test_a_receive_asks_for_no_more_than_sqs_gives() -> None:
    fake = FakeClient()

    await SQSReceivingQueue(fake.client, URL).receive(256, wait_seconds=99.5, visibility_seconds=30)
    await SQSReceivingQueue(fake.client, URL).receive(3, wait_seconds=0.2, visibility_seconds=30)

    receives = [asked for asked in fake.asked if "WaitTimeSeconds" in asked]
    assert [(asked["MaxNumberOfMessages"], asked["WaitTimeSeconds"]) for asked in receives] == [(10, 20), (3, 1)]


async def test_the_queues_owner_says_how_long_a_message_may_be_and_the_queue_is_asked_by_a_probe() -> None:
    fake = FakeClient()
    sending = SQSSendingQueue(fake.client, URL)
    known = [sending.limits]
    for size in (1_048_576, 1_024):
        fake.reply = {"Attributes": ARN | {"MaximumMessageSize": str(size)}}
        await sending.probe()
        known.append(sending.limits)

    assert [limits.message_bytes for limits in known] == [None, 1_048_576, 1_024]
    assert [limits.payload_bytes for limits in known] == [262_144, 1_048_576, 262_144]


async def test_a_queue_that_does_not_say_how_long_a_message_may_be_takes_what_any_takes() -> None:
    sending = SQSSendingQueue(FakeClient(Attributes=ARN).client, URL)
    await sending.probe()
    assert sending.limits.message_bytes == 262_144


async def test_a_message_size_that_is_no_number_is_a_probe_that_failed() -> None:
    sending = SQSSendingQueue(FakeClient(Attributes=ARN | {"MaximumMessageSize": "many"}).client, URL)
    with pytest.raises(QueueUnavailableError, match="GetQueueAttributes: ValueError"):
        await sending.probe()
    assert sending.limits.message_bytes is None


async def test_the_first_receive_learns_how_long_messages_are_and_a_longer_one_that_they_may_be_longer() -> None:
    body = "x" * 2_000
    messages = [{"MessageId": "id", "ReceiptHandle": "a-receipt", "Body": body, "MD5OfBody": digest(body.encode())}]
    fake = FakeClient(Attributes=ARN | {"MaximumMessageSize": "1024"})
    receiving = SQSReceivingQueue(fake.client, URL)
    assert receiving.limits.message_bytes == 1_048_576

    await receiving.receive(1, wait_seconds=0, visibility_seconds=1)
    assert (receiving.limits.message_bytes, receiving.limits.payload_bytes) == (1_024, 10_240)

    fake.reply |= {"Messages": messages}
    await receiving.receive(1, wait_seconds=0, visibility_seconds=1)
    assert receiving.limits.message_bytes == 1_048_576

    fake.reply = {"Attributes": ARN | {"MaximumMessageSize": "4096"}}
    await receiving.receive(1, wait_seconds=0, visibility_seconds=1)
    assert receiving.limits.message_bytes == 4_096


async def test_a_receiver_that_may_not_ask_for_the_queues_attributes_receives_all_the_same() -> None:
    fake = FakeClient(Attributes={"MaximumMessageSize": "many"})
    receiving = SQSReceivingQueue(fake.client, URL)
    assert await receiving.receive(1, wait_seconds=0, visibility_seconds=1) == []
    assert receiving.limits.message_bytes == 1_048_576


async def test_300_kb_and_more_go_through_a_queue_that_takes_a_mebibyte(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = [b"x" * 300_000, b"y" * 1_000_000]  # aiohttp warns of calls that are longer than a mebibyte
    async with SQSStub() as stub:
        stub.queue.maximum_message_size = 1_048_576
        for name, value in stub.environment.items():
            monkeypatch.setenv(name, value)
        async with open_sending(stub.queue_url) as sending, open_receiving(stub.queue_url) as receiving:
            await sending.probe()
            assert [await sending.send([body]) for body in bodies] == [[None], [None]]
            messages = await receiving.receive(10, wait_seconds=1, visibility_seconds=30)
    assert sorted(message.body for message in messages) == bodies


REASON = "because é was there"


@pytest.mark.parametrize(
    ("room", "attached"),
    [
        (0, ""),
        (len("reasonString…"), ""),
        (len("reasonString") + len("…b".encode()), "b…"),
        (len("reasonString") + len("…because é".encode()) - 1, "because …"),
        (len("reasonString") + len(REASON.encode()), REASON),
    ],
)
async def test_as_much_of_a_dead_letters_reason_is_attached_as_has_room_and_the_log_has_the_whole(
    sqs: SQS, capsys: pytest.CaptureFixture[str], room: int, attached: str
) -> None:
    body = b"x" * (262_144 - room)
    async with sqs.open() as (sending, receiving):
        await sending.send([body])
        [message] = await receiving.receive(1, wait_seconds=1, visibility_seconds=30)
        await receiving.dead_letter(message, REASON)

    [letter] = sqs.take_dead_letters()
    assert (letter["Body"].encode(), reason(letter)) == (body, attached)
    logged = [line for line in capsys.readouterr().out.splitlines() if "dead_letter_reason_cut_off" in line]
    assert len(logged) == (attached != REASON)
    for line in logged:
        assert letter["MessageId"] in line
        assert sha256(body).hexdigest() in line
        assert REASON in line


async def test_a_dead_letter_that_sqs_stored_otherwise_stays_on_the_queue() -> None:
    policy = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:eu-west-3:766537570218:dead"})
    fake = FakeClient(Attributes=ARN | {"RedrivePolicy": policy}, MD5OfMessageBody=digest(b"other"))

    with pytest.raises(QueueUnavailableError, match="stored other bytes"):
        await SQSReceivingQueue(fake.client, URL).dead_letter(MESSAGE, "because")

    assert [asked["QueueUrl"].rpartition("/")[2] for asked in fake.asked] == ["my_sqs", "dead"]


async def test_a_message_that_cannot_be_dead_lettered_is_hidden_and_the_way_out_named(aws: Emulator) -> None:
    url = aws.sqs.create_queue(QueueName="queue-without-policy")["QueueUrl"]
    async with open_sending(url) as sending, open_receiving(url) as receiving:
        await sending.send([b"nowhere to go"])
        [message] = await receiving.receive(1, wait_seconds=1, visibility_seconds=1)

        with pytest.raises(NoDeadLetterQueueError, match="set a RedrivePolicy"):
            await receiving.dead_letter(message, "because")

        assert await receiving.receive(1, wait_seconds=2, visibility_seconds=1) == []


async def test_a_message_that_cannot_be_dead_lettered_is_hidden_for_less_than_sqs_allows_in_all() -> None:
    fake = FakeClient(Attributes=ARN, Successful=[{"Id": "0"}])

    with pytest.raises(NoDeadLetterQueueError):
        await SQSReceivingQueue(fake.client, URL).dead_letter(MESSAGE, "because")

    assert fake.asked[-1]["Entries"] == [{"Id": "0", "ReceiptHandle": "a-receipt", "VisibilityTimeout": 39_600}]


async def test_a_queue_that_does_not_exist_is_named_by_its_code(aws: Emulator) -> None:
    async with open_sending(f"{aws.endpoint_url}/000000000000/none") as sending:
        with pytest.raises(QueueUnavailableError, match=r"^SQS GetQueueAttributes: [\w.]*NonExistentQueue$"):
            await sending.probe()
        with pytest.raises(QueueUnavailableError, match=r"^SQS SendMessageBatch: [\w.]*NonExistentQueue$"):
            await sending.send([b"secret"])


@pytest.mark.parametrize(
    "error",
    [
        ParamValidationError(report="secret"),
        ResponseParserError("secret"),
        aiohttp.ClientPayloadError("secret"),
        ConnectionResetError("secret"),
        TimeoutError("secret"),
        KeyError("secret"),  # and whatever else comes of a reply that is not one of SQS
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_is_named_without_repeating_what_it_says(error: Exception) -> None:
    async def refuse() -> None:
        raise error

    with pytest.raises(QueueUnavailableError) as caught:
        await confirmed("SendMessageBatch", refuse())

    assert str(caught.value) == f"SQS SendMessageBatch: {type(error).__name__}"
    assert "secret" not in "".join(traceback.format_exception(caught.value))


async def test_a_call_that_lasts_too_long_is_ended() -> None:
    with pytest.raises(QueueUnavailableError, match="TimeoutError"):
        await confirmed("SendMessageBatch", asyncio.sleep(5), seconds=0.01)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        (URL, "eu-west-3"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/766537570218/my_sqs", "us-gov-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/766537570218/my_sqs", "cn-north-1"),
        ("https://vpce-0a1b-2c.sqs.eu-west-1.vpce.amazonaws.com/766537570218/my_sqs", "eu-west-1"),
    ],
)
@pytest.mark.parametrize("variable", [None, "us-east-1"])
async def test_the_region_is_the_urls_and_so_is_the_endpoint_where_no_variable_names_one(
    aws: Emulator, monkeypatch: pytest.MonkeyPatch, url: str, region: str, variable: str | None
) -> None:
    assert aws.environment["AWS_REGION"] != region
    for name in ("AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name)
    if variable:
        monkeypatch.setenv("AWS_REGION", variable)

    async with open_sending(url) as sending:
        assert sending._client.meta.region_name == region
        assert url.startswith(f"{sending._client.meta.endpoint_url}/")


async def test_without_a_region_anywhere_the_error_names_the_variable(
    aws: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name)

    with pytest.raises(ValueError, match="set AWS_REGION"):
        async with open_sending(f"{aws.endpoint_url}/000000000000/my_sqs"):
            pass


@pytest.mark.parametrize(
    "reply",
    [
        {"Successful": None},
        {"Successful": [{"Id": "0"}]},
        {"Successful": [{"Id": "7", "MD5OfMessageBody": "x"}]},
        {"Failed": [{"Id": "0"}]},
    ],
    ids=repr,
)
async def test_a_reply_that_is_not_one_of_sqs_is_a_call_not_confirmed(reply: dict[str, Any]) -> None:
    fake = FakeClient(**reply)
    with pytest.raises(QueueUnavailableError):
        await SQSSendingQueue(fake.client, URL).send([b"body"])


async def test_a_message_without_its_parts_is_a_call_not_confirmed() -> None:
    fake = FakeClient(Messages=[{}])
    with pytest.raises(QueueUnavailableError):
        await SQSReceivingQueue(fake.client, URL).receive(1, wait_seconds=0, visibility_seconds=1)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://user:secret@sqs.eu-west-3.amazonaws.com/1/my_sqs", "credentials"),
        ("https://sqs.eu-west-3.amazonaws.com/1/my_sqs.fifo", "FIFO"),
        ("https://bad host/1/my_sqs", "not the URL of an endpoint"),
    ],
)
async def test_a_url_that_no_queue_can_have_is_refused_by_name_without_its_secrets(
    aws: Emulator, monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    assert aws.environment["AWS_REGION"]
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with pytest.raises(ValueError, match=reason) as caught:
        async with open_sending(url):
            pass
    assert "secret" not in str(caught.value)


async def test_a_profile_that_does_not_exist_is_named_by_its_variable(
    aws: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "nope")
    with pytest.raises(ValueError, match=r"AWS_PROFILE|ProfileNotFound"):
        async with open_sending(f"{aws.endpoint_url}/1/my_sqs"):
            pass
