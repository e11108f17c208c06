"""A call of SQS or S3 as the proxy sees it: who makes it, which operation it is, and what becomes of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from chaos.aws.http_messages import Answer, Request

SQS: Final = "sqs"
S3: Final = "s3"

SEND: Final = "SendMessageBatch"
RECEIVE: Final = "ReceiveMessage"
DELETE: Final = "DeleteMessageBatch"
CHANGE_VISIBILITY: Final = "ChangeMessageVisibilityBatch"
BATCHES: Final = frozenset({SEND, DELETE, CHANGE_VISIBILITY})
SQS_OPERATIONS: Final = BATCHES | {RECEIVE, "GetQueueAttributes", "SendMessage"}

PUT: Final = "PutObject"
HEAD: Final = "HeadObject"
GET: Final = "GetObject"
S3_OPERATIONS: Final = frozenset({PUT, HEAD, GET})

_TARGET: Final = "AmazonSQS."
_OF_S3: Final = {"PUT": PUT, "HEAD": HEAD, "GET": GET}


class Ledger:
    """Receives that faults made vain, by message, so that they alone never use up what a message may have."""

    MOST: Final = 2

    def __init__(self) -> None:
        self._lost: dict[str, int] = {}

    def may_lose(self, answer: Answer) -> bool:
        """Whether no message in a receive's answer was lost too often yet; it is lost now."""
        identifiers = [message["MessageId"] for message in read_json(answer).get("Messages", [])]
        if any(self._lost.get(each, 0) >= self.MOST for each in identifiers):
            return False
        for each in identifiers:
            self._lost[each] = self._lost.get(each, 0) + 1
        return True


@dataclass
class Call:
    """One call, until it is answered.

    program, number: of the process that makes it. send_on: brings a request to the emulator. client_is_gone: returns
    when the client has closed its connection. asked_at: by time.monotonic. fault: that happened to it; empty: none.
    """

    program: str
    number: int
    service: str
    request: Request
    send_on: Callable[[Request], Awaitable[Answer]]
    client_is_gone: Callable[[], Awaitable[object]]
    ledger: Ledger
    asked_at: float = field(default_factory=time.monotonic)
    fault: str = ""

    @property
    def operation(self) -> str:
        """Its name in AWS's documentation."""
        if self.service == SQS:
            return self.request.headers.get("x-amz-target", "").removeprefix(_TARGET)
        return _OF_S3.get(self.request.method, self.request.method)

    @property
    def key(self) -> str:
        """Of the object, its bucket before it."""
        return self.request.target.partition("?")[0]

    def read(self) -> Any:
        """What is asked of SQS."""
        return json.loads(self.request.body)

    async def forward(self) -> Answer:
        """Let it take effect; the emulator's answer."""
        return await self.send_on(self.request)

    async def forward_as(self, asked: Mapping[str, Any]) -> Answer:
        """Let something else take effect instead."""
        return await self.send_on(replace(self.request, body=json.dumps(asked).encode()))

    def may_lose(self, answer: Answer) -> bool:
        """Whether the client may be kept from an answer."""
        return self.operation != RECEIVE or self.ledger.may_lose(answer)


def read_json(answer: Answer) -> Any:
    """What an answer of SQS says; empty for any other."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def with_json(answer: Answer, said: Mapping[str, Any]) -> Answer:
    """An answer that says something else."""
    return replace(answer, body=json.dumps(said).encode())
