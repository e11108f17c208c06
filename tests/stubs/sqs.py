"""An SQS endpoint with one queue and its dead-letter queue, fast enough to keep a consumer busy, counting its calls.

It speaks the AWS JSON protocol, and checks no signature: https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
In a test: `async with SQSStub(bodies) as sqs`. As a process of its own, in the folder tests:
`python -m stubs.sqs --bodies FILE`.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec
import uvloop
from aiohttp import web

from stubs import sqs_calls as calls
from stubs.sqs_queue import Message, Queue

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

ACCOUNT: Final = "000000000000"
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAXIMUM_CALL_SIZE: Final = 1_048_576  # bytes
_JSON: Final = "application/x-amz-json-1.0"
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_REFUSED: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class SQSStub:
    """An SQS endpoint.

    bodies: messages that wait on the queue from the start. latency: seconds before each answer.
    port: to listen on at 127.0.0.1; 0: any that is free. url, queue_url: once it is entered.
    calls, most_in_flight: by operation; a call is in flight until it is answered.
    """

    def __init__(self, bodies: Iterable[str] = (), *, latency: float = 0, port: int = 0, max_receives: int = 5) -> None:
        self.url = ""
        self.dead_letters = Queue("queue-dead")
        self.queue = Queue("queue", bodies, dead_letters=self.dead_letters, max_receives=max_receives)
        self.calls: Counter[str] = Counter()
        self.most_in_flight: Counter[str] = Counter()
        self._in_flight: Counter[str] = Counter()
        self._latency = latency
        self._port = port
        app = web.Application(client_max_size=8 * MAXIMUM_CALL_SIZE)
        app.router.add_post("/", self._answer)
        app.router.add_get("/counts", self._counts)
        # A receiver that goes away ends its long poll: it is handed nothing.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, handler_cancellation=True)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        host, port = self._runner.addresses[0]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def queue_url(self) -> str:
        """The queue's."""
        return f"{self.url}/{ACCOUNT}/{self.queue.name}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes an AWS SDK, in this process or another, talk to the stub."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    async def _counts(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "calls": self.calls,
                "most_in_flight": self.most_in_flight,
                "received": self.queue.received,
                "deleted": self.queue.deleted,
                "first_received_at": self.queue.first_received_at,
                "last_deleted_at": self.queue.last_deleted_at,
            }
        )

    async def _answer(self, request: web.Request) -> web.Response:
        operation = request.headers.get("X-Amz-Target", "").removeprefix("AmazonSQS.")
        self.calls[operation] += 1
        self._in_flight[operation] += 1
        self.most_in_flight[operation] = max(self.most_in_flight[operation], self._in_flight[operation])
        try:
            body = await request.read()
            if self._latency:
                await asyncio.sleep(self._latency)
            reply = await self._do(calls.read(operation, body))
        except calls.RefusedError as error:
            return web.Response(
                status=400,
                body=msgspec.json.encode({"__type": f"com.amazonaws.sqs#{error.code}", "message": error.code}),
                headers={"x-amzn-query-error": f"{error.query_code};Sender"},
                content_type=_JSON,
            )
        finally:
            self._in_flight[operation] -= 1
        return web.Response(body=msgspec.json.encode(reply), content_type=_JSON)

    async def _do(self, call: calls.AnyCall) -> object:
        queue = self._queue(call.queue_url)
        match call:
            case calls.ReceiveMessage():
                return await _receive(queue, call)
            case calls.DeleteMessageBatch(entries=entries):
                return _outcomes({entry.id: queue.delete(entry.receipt_handle) for entry in entries})
            case calls.ChangeMessageVisibilityBatch(entries=entries):
                return _outcomes(
                    {
                        entry.id: queue.change_visibility(entry.receipt_handle, entry.visibility_timeout)
                        for entry in entries
                    }
                )
            case calls.SendMessage():
                return _send(queue, call.message_body, call.message_attributes)
            case calls.SendMessageBatch():
                return _send_all(queue, call)
            case calls.GetQueueAttributes():
                return {"Attributes": _attributes(queue, call.attribute_names)}

    def _queue(self, url: str) -> Queue:
        for queue in (self.queue, self.dead_letters):
            if url.endswith(f"/{ACCOUNT}/{queue.name}"):
                return queue
        raise calls.RefusedError("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")


async def _receive(queue: Queue, call: calls.ReceiveMessage) -> dict[str, list[calls.Received]]:
    taken = await queue.receive(
        call.max_number_of_messages, wait_seconds=call.wait_time_seconds, visibility_seconds=call.visibility_timeout
    )
    messages = [
        calls.Received(
            message_id=message.message_id,
            receipt_handle=message.receipt,
            md5_of_body=message.md5_of_body,
            body=message.body,
            attributes={
                "ApproximateReceiveCount": str(message.receives),
                "SentTimestamp": str(int(message.sent_at * 1_000)),
            },
            message_attributes=_asked_for(message, call.message_attribute_names) or msgspec.UNSET,
        )
        for message in taken
    ]
    return {"Messages": messages} if messages else {}


def _asked_for(message: Message, names: list[str]) -> dict[str, Any]:
    return {name: value for name, value in message.attributes.items() if name in names or "All" in names}


def _attribute_bytes(attributes: dict[str, Any]) -> int:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html."""
    return sum(len(f"{name}{value['DataType']}{value['StringValue']}".encode()) for name, value in attributes.items())


def _send(queue: Queue, body: str, attributes: dict[str, Any]) -> calls.Sent:
    if len(body.encode()) + _attribute_bytes(attributes) > queue.maximum_message_size:
        raise calls.RefusedError("InvalidParameterValue")
    if not body or _REFUSED.search(body):
        raise calls.RefusedError("InvalidMessageContents")
    message = Message(body, attributes)
    queue.send(message)
    return calls.Sent(message_id=message.message_id, md5_of_message_body=message.md5_of_body)


def _send_all(queue: Queue, call: calls.SendMessageBatch) -> calls.Outcomes:
    size = sum(len(entry.message_body.encode()) + _attribute_bytes(entry.message_attributes) for entry in call.entries)
    if size > MAXIMUM_CALL_SIZE:
        raise calls.RefusedError("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong")
    outcomes = calls.Outcomes([], [])
    for entry in call.entries:
        try:
            sent = _send(queue, entry.message_body, entry.message_attributes)
        except calls.RefusedError as error:
            outcomes.failed.append(calls.Refused(entry.id, error.code, error.code))
        else:
            sent.id = entry.id
            outcomes.successful.append(sent)
    return outcomes


def _outcomes(codes: dict[str, str | None]) -> calls.Outcomes:
    return calls.Outcomes(
        successful=[{"Id": entry} for entry, code in codes.items() if code is None],
        failed=[calls.Refused(entry, code, code) for entry, code in codes.items() if code is not None],
    )


def _attributes(queue: Queue, names: list[str]) -> dict[str, str]:
    attributes = {
        "ApproximateNumberOfMessages": str(queue.visible),
        "ApproximateNumberOfMessagesNotVisible": str(queue.in_flight),
        "MaximumMessageSize": str(queue.maximum_message_size),
        "QueueArn": _arn(queue),
    }
    if queue.dead_letters:
        policy = {"deadLetterTargetArn": _arn(queue.dead_letters), "maxReceiveCount": queue.max_receives}
        attributes["RedrivePolicy"] = msgspec.json.encode(policy).decode()
    return {name: value for name, value in attributes.items() if name in names or "All" in names}


def _arn(queue: Queue) -> str:
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue.name}"


async def _serve(bodies: list[str], latency: float, port: int, maximum_message_size: int) -> None:
    async with SQSStub(bodies, latency=latency, port=port) as sqs:
        sqs.queue.maximum_message_size = maximum_message_size
        sys.stdout.write(f"{sqs.queue_url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Print the queue's URL, then serve until a signal ends it."""
    parser = argparse.ArgumentParser(description="An SQS endpoint with one queue, which counts its calls.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bodies", type=Path, help="a file with the messages that wait on the queue, one per line")
    parser.add_argument("--latency", type=float, default=0.01, help="seconds before each answer")
    parser.add_argument("--maximum-message-size", type=int, default=262_144, help="bytes")
    arguments = parser.parse_args()
    bodies = arguments.bodies.read_text(encoding="utf-8").splitlines() if arguments.bodies else []
    uvloop.run(_serve(bodies, arguments.latency, arguments.port, arguments.maximum_message_size))


if __name__ == "__main__":
    main()
