"""What is no answer of SQS, though its status is 200, is a call that was not confirmed: as of a captive portal."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import web

from checkpoint.archive.archive import Archive
from checkpoint.message_queue.admin import DeadLetter
from checkpoint.message_queue.port import Message, QueueUnavailableError
from checkpoint.message_queue.sqs.adapter import open_admin, open_receiving, open_sending
from message_broker.service import build
from message_broker.settings import BrokerSettings
from objects import MemoryObjects
from stubs.object_store import PAGE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from checkpoint.message_queue.port import ReceivingQueue, SendingQueue

JSON: Final = "application/x-amz-json-1.0"
MESSAGE: Final = Message(b"a body", "a-receipt", 1)
LETTER: Final = DeadLetter("an-id", b"a body", "because", 1, None, None, "a-receipt")
ANSWERS: Final = {
    "a page": (PAGE, "text/html"),
    "a page as JSON": (PAGE, JSON),
    "an empty object as HTML": (b"{}", "text/html; charset=utf-8"),
    "no body and no type": (b"", ""),
    "no body as HTML": (b"", "text/html"),
    "other JSON": (b"{}", "application/json"),
    "half a body": (b'{"Messages":[{"MessageId":"1","Body":"x', JSON),
    "half a body after an object": (b'{"Messages":[{"MessageId":"1"}', JSON),
    "an array": (b"[]", JSON),
    "null": (b"null", JSON),
    "a string": (b'"{}"', JSON),
    "no UTF-8": (b'{"Attributes":{"QueueArn":"\xff"},"Messages":"\xff"}', JSON),
    "no object below": (b'{"Attributes":1,"Successful":2,"Failed":3,"Messages":4}', JSON),
    "members without members": (b'{"Attributes":{},"Successful":[{}],"Failed":[{}],"Messages":[{}]}', JSON),
}


class Portal:
    """Answers 200 with the same to everything. calls: of which operations, in order."""

    def __init__(self) -> None:
        self.body, self.content_type = ANSWERS["a page"]
        self.calls: list[str] = []
        self.url = ""
        self._runner = web.ServerRunner(web.Server(self._answer))

    async def start(self) -> str:
        """The URL of a queue there."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0]
        self.url = f"http://{host}:{port}/000000000000/queue"
        return self.url

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        await request.read()
        self.calls.append(request.headers["X-Amz-Target"].removeprefix("AmazonSQS."))
        headers = {"Content-Type": self.content_type} if self.content_type else {}
        return web.Response(body=self.body, headers=headers)


@pytest.fixture
async def portal() -> AsyncIterator[tuple[Portal, str]]:
    portal = Portal()
    url = await portal.start()
    yield portal, url
    await portal.stop()


@pytest.fixture
async def halves(
    portal: tuple[Portal, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Portal, SendingQueue, ReceivingQueue]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    async with open_sending(portal[1]) as sending, open_receiving(portal[1]) as receiving:
        yield portal[0], sending, receiving


@pytest.mark.parametrize("answer", ANSWERS)
async def test_what_is_not_of_sqs_is_not_confirmed(
    halves: tuple[Portal, SendingQueue, ReceivingQueue], answer: str
) -> None:
    portal, sending, receiving = halves
    portal.body, portal.content_type = ANSWERS[answer]
    for call in (
        sending.probe(),
        sending.send([b"a body"]),
        receiving.receive(10, wait_seconds=1, visibility_seconds=30),
        receiving.delete([MESSAGE]),
        receiving.change_visibility([MESSAGE], 30),
        receiving.dead_letter(MESSAGE, "because"),
    ):
        with pytest.raises(QueueUnavailableError, match=r"^SQS \w+: ") as caught:
            await call
        assert "Sign in" not in str(caught.value)
    async with open_admin(portal.url) as admin:
        for ask in (admin.depth(), anext(admin.dead_letters()), admin.redrive([LETTER]), admin.drop([LETTER])):
            with pytest.raises(QueueUnavailableError, match=r"^SQS \w+: "):
                await ask


@pytest.mark.parametrize(
    ("body", "reason"), [(b"{}", "^SQS "), (b"", "no JSON object$")], ids=["an empty object", "no body"]
)
async def test_an_answer_with_nothing_in_it_is_one_to_a_receive_alone(
    halves: tuple[Portal, SendingQueue, ReceivingQueue], body: bytes, reason: str
) -> None:
    portal, sending, receiving = halves
    portal.body, portal.content_type = body, JSON
    assert await receiving.receive(10, wait_seconds=1, visibility_seconds=30) == []
    for call in (
        sending.probe(),
        sending.send([b"a body"]),
        receiving.delete([MESSAGE]),
        receiving.change_visibility([MESSAGE], 30),
        receiving.dead_letter(MESSAGE, "because"),
    ):
        with pytest.raises(QueueUnavailableError, match=reason):
            await call


@pytest.mark.parametrize("policy", ["no JSON", "{}", "[]"])
async def test_a_redrive_policy_that_nobody_can_read_is_not_taken_for_none(
    halves: tuple[Portal, SendingQueue, ReceivingQueue], policy: str
) -> None:
    portal, _, receiving = halves
    attributes: dict[str, Any] = {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:queue", "RedrivePolicy": policy}
    portal.body, portal.content_type = json.dumps({"Attributes": attributes}).encode(), JSON
    with pytest.raises(QueueUnavailableError):
        await receiving.dead_letter(MESSAGE, "because")
    assert portal.calls == ["GetQueueAttributes"]


async def test_a_lone_surrogate_which_the_sdk_reads_too_fails_no_other_message(
    halves: tuple[Portal, SendingQueue, ReceivingQueue],
) -> None:
    portal, _, receiving = halves
    whole = {"MessageId": "1", "ReceiptHandle": "1", "Body": "body", "MD5OfBody": "841a2d689ad86bd1611447453c22c6fc"}
    reply = {"Messages": [whole, whole | {"Body": "\ud800"}]}
    portal.body, portal.content_type = json.dumps(reply).encode(), JSON
    assert [message.body for message in await receiving.receive(10, wait_seconds=1, visibility_seconds=30)] == [b"body"]


async def test_a_broker_backs_off_from_a_captive_portal_and_says_why_it_is_not_ready(
    halves: tuple[Portal, SendingQueue, ReceivingQueue],
) -> None:
    portal, _, receiving = halves
    service = build(BrokerSettings(), receiving, Archive(MemoryObjects()))
    stop = asyncio.Event()
    running = asyncio.create_task(service.run(stop))
    await asyncio.sleep(1)
    stop.set()
    await running
    assert 2 <= len(portal.calls) <= 20
    assert "content type" in service.health.faults["queue"]
