"""The operator's part of an SQS queue: dead letters by receives, and what SQS says and does not say of them."""

from __future__ import annotations

import json
from hashlib import md5
from typing import TYPE_CHECKING, Any, cast

import pytest

from checkpoint.message_queue.port import NoDeadLetterQueueError, QueueUnavailableError
from checkpoint.message_queue.sqs.admin import HIDDEN_SECONDS, SQSAdminQueue
from checkpoint.message_queue.sqs.queue import SQSReceivingQueue

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

    from checkpoint.message_queue.admin import DeadLetter

URL = "https://sqs.eu-west-3.amazonaws.com/766537570218/my_sqs"
DEAD_URL = f"{URL}_dead"
POLICY = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:eu-west-3:766537570218:my_sqs_dead"})


class Refused(Exception):  # noqa: N818  what a call of the fake ends with
    """A call that the fake does not answer."""


class FakeSQS:
    """A queue and its dead-letter queue, as far as the operator's part calls them.

    rounds: what receives bring, one after the other. refused: ids whose deletes fail. unanswered: operations.
    """

    def __init__(self, *rounds: list[dict[str, Any]], attributes: dict[str, str] | None = None) -> None:
        self.rounds = list(rounds)
        self.attributes = {"QueueArn": "arn", "RedrivePolicy": POLICY} if attributes is None else attributes
        self.refused: set[str] = set()
        self.unanswered: set[str] = set()
        self.asked: list[tuple[str, dict[str, Any]]] = []

    @property
    def client(self) -> SQSClient:
        return cast("SQSClient", self)

    def calls(self, operation: str) -> list[dict[str, Any]]:
        return [asked for name, asked in self.asked if name == operation]

    async def get_queue_attributes(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(("attributes", asked))
        return {"Attributes": self.attributes}

    async def receive_message(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(("receive", asked))
        return {"Messages": self.rounds.pop(0)} if self.rounds else {}

    async def send_message_batch(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(("send", asked))
        bodies = [entry["MessageBody"] for entry in asked["Entries"]]
        if "send" in self.unanswered and "away" in bodies:
            raise Refused
        return {"Successful": [{"Id": str(n), "MD5OfMessageBody": digest(body)} for n, body in enumerate(bodies)]}

    async def delete_message_batch(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(("delete", asked))
        if "delete" in self.unanswered:
            raise Refused
        return self._outcome(asked["Entries"])

    async def change_message_visibility_batch(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(("release", asked))
        return self._outcome(asked["Entries"])

    def _outcome(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        refused = [entry for entry in entries if entry["ReceiptHandle"] in self.refused]
        return {
            "Successful": [{"Id": entry["Id"]} for entry in entries if entry not in refused],
            "Failed": [{"Id": each["Id"], "Code": "ReceiptHandleIsInvalid", "SenderFault": True} for each in refused],
        }


def digest(body: str) -> str:
    return md5(body.encode(), usedforsecurity=False).hexdigest()


def received(name: str, body: str = "a body", *, receipt: str = "", **attributes: str) -> dict[str, Any]:
    return {
        "MessageId": name,
        "ReceiptHandle": receipt or f"receipt-of-{name}",
        "Body": body,
        "MD5OfBody": digest(body),
        "Attributes": attributes,
    }


async def listed(admin: SQSAdminQueue) -> list[DeadLetter]:
    return [letter async for letter in admin.dead_letters()]


def of(sqs: FakeSQS) -> SQSAdminQueue:
    return SQSAdminQueue(sqs.client, URL, wait_seconds=1)


async def test_a_dead_letter_of_the_brokers_has_its_reason_and_when_it_was_put_there() -> None:
    told = received("sent", SentTimestamp="1700000000123", ApproximateReceiveCount="7")
    told["MessageAttributes"] = {"reason": {"DataType": "String", "StringValue": "is not JSON."}}

    [letter] = await listed(of(FakeSQS([told])))

    assert (letter.id, letter.body, letter.reason) == ("sent", b"a body", "is not JSON.")
    assert (letter.sent_at, letter.dead_at, letter.receive_count) == (None, 1_700_000_000.123, None)


async def test_a_message_that_sqs_moved_has_no_reason_and_when_it_was_sent_to_the_queue() -> None:
    moved = received("m", SentTimestamp="1700000000123", ApproximateReceiveCount="21", DeadLetterQueueSourceArn="arn")

    [letter] = await listed(of(FakeSQS([moved])))

    assert (letter.reason, letter.sent_at, letter.dead_at, letter.receive_count) == ("", 1_700_000_000.123, None, 21)


async def test_a_look_ends_only_when_several_receives_bring_nothing_new() -> None:
    sqs = FakeSQS([received("a")], *[[]] * 7, [received("b")], [received("a")])

    assert [letter.id for letter in await listed(of(sqs))] == ["a", "b"]

    receives = sqs.calls("receive")
    assert len(receives) == 3 * 4 + 2 * 4
    assert {(each["QueueUrl"], each["VisibilityTimeout"]) for each in receives} == {(DEAD_URL, HIDDEN_SECONDS)}


async def test_a_damaged_body_is_left_out() -> None:
    damaged = received("damaged") | {"MD5OfBody": digest("other")}
    assert [letter.id for letter in await listed(of(FakeSQS([damaged, received("whole")])))] == ["whole"]


async def test_the_last_receive_of_a_dead_letter_is_the_one_that_counts() -> None:
    """A long look outlasts the visibility timeout, and SQS shows the first ones again."""
    sqs = FakeSQS([received("a", receipt="old")], [], [], [], [received("a", receipt="new")])
    admin = of(sqs)
    letters = await listed(admin)

    await admin.release(letters)
    assert [each["Entries"][0]["ReceiptHandle"] for each in sqs.calls("release")] == ["new"]

    sqs.rounds = [[received("a", receipt="newer")]]
    letters = await listed(admin)
    assert await admin.redrive(letters) == [None]
    assert [each["Entries"][0]["ReceiptHandle"] for each in sqs.calls("delete")] == ["newer"]


async def test_a_redrive_sends_before_it_deletes_by_calls_that_sqs_takes() -> None:
    sqs = FakeSQS([received(f"{number}", "x" * 100_000) for number in range(10)], [received("short")])
    admin = of(sqs)

    assert await admin.redrive(await listed(admin)) == [None] * 11

    sends, deletes = sqs.calls("send"), sqs.calls("delete")
    assert {each["QueueUrl"] for each in sends} == {URL}
    assert {each["QueueUrl"] for each in deletes} == {DEAD_URL}
    assert sorted(len(each["Entries"]) for each in sends) == [2, 2, 2, 2, 3]  # 262,144 bytes each
    for send in sends:
        deleted = next(each for each in deletes if len(each["Entries"]) == len(send["Entries"]))
        assert sqs.asked.index(("send", send)) < sqs.asked.index(("delete", deleted))


async def test_a_receipt_that_went_stale_is_a_fault_that_says_where_the_message_is() -> None:
    sqs = FakeSQS([received("stale"), received("good")])
    sqs.refused = {"receipt-of-stale"}
    admin = of(sqs)

    stale, good = await admin.redrive(await listed(admin))

    assert good is None
    assert stale is not None
    assert stale.reason == "It was sent to the queue, but is still a dead letter: ReceiptHandleIsInvalid"


async def test_what_was_sent_and_could_not_be_deleted_is_a_fault_that_says_so() -> None:
    sqs = FakeSQS([received("sent")])
    sqs.unanswered = {"delete"}
    admin = of(sqs)

    [fault] = await admin.redrive(await listed(admin))

    assert fault is not None
    assert fault.is_transient
    assert fault.reason.startswith("It was sent to the queue, but is still a dead letter: SQS DeleteMessageBatch")


async def test_a_call_that_fails_does_not_hide_what_others_did() -> None:
    letters = [received(f"{number}") for number in range(10)]
    sqs = FakeSQS(letters, [received("away", "away")])
    sqs.unanswered = {"send"}
    admin = of(sqs)

    *others, away = await admin.redrive(await listed(admin))

    assert others == [None] * 10
    assert away is not None
    assert away.reason == "SQS SendMessageBatch: Refused"


async def test_a_receive_that_fails_is_told_after_what_the_others_brought_and_that_can_be_released() -> None:
    class Failing(FakeSQS):
        async def receive_message(self, **asked: Any) -> dict[str, Any]:
            reply = await super().receive_message(**asked)
            if len(self.asked) > 3:
                raise Refused
            return reply

    admin = of(Failing([received("a")], [received("b")]))
    letters: list[DeadLetter] = []

    async def look() -> None:
        async for letter in admin.dead_letters():
            letters.append(letter)  # noqa: PERF401  what came before the error counts

    with pytest.raises(QueueUnavailableError, match="ReceiveMessage: Refused"):
        await look()

    assert [letter.id for letter in letters] == ["a", "b"]


async def test_a_queue_without_a_dead_letter_queue_says_so() -> None:
    sqs = FakeSQS(attributes={"QueueArn": "arn", "ApproximateNumberOfMessages": "3"})
    admin = of(sqs)
    for call in (listed(admin), admin.redrive([]), admin.drop([])):
        with pytest.raises(NoDeadLetterQueueError, match="set a RedrivePolicy"):
            await call

    assert await admin.depth() == (3, 0, None, None)


async def test_the_depth_takes_one_call_about_each_queue() -> None:
    numbers = {"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "2"}
    sqs = FakeSQS(attributes={"QueueArn": "arn", "RedrivePolicy": POLICY, **numbers})
    receiving = SQSReceivingQueue(sqs.client, URL)
    await receiving.depth()
    sqs.asked.clear()

    assert await receiving.depth() == (3, 2, None, 5)  # dead letters that somebody looks at are there, too

    assert [asked["QueueUrl"] for asked in sqs.calls("attributes")] == [URL, DEAD_URL]


@pytest.mark.parametrize("attributes", [{}, {"QueueArn": "arn", "ApproximateNumberOfMessages": "many"}])
async def test_a_depth_that_is_no_answer_of_sqs_is_none(attributes: dict[str, str]) -> None:
    with pytest.raises(QueueUnavailableError, match="GetQueueAttributes"):
        await of(FakeSQS(attributes=attributes)).depth()


async def test_what_fails_at_the_dead_letter_queue_names_it() -> None:
    class Deleted(FakeSQS):
        async def get_queue_attributes(self, **asked: Any) -> dict[str, Any]:
            if asked["QueueUrl"] == DEAD_URL:
                raise Refused
            return await super().get_queue_attributes(**asked)

        async def receive_message(self, **_: Any) -> dict[str, Any]:
            raise Refused

    admin = of(Deleted())
    for call in (admin.depth(), listed(admin)):
        with pytest.raises(QueueUnavailableError, match=r"^the dead-letter queue my_sqs_dead: SQS .*: Refused"):
            await call
