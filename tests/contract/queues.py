"""Each queue as the contract suite sees it: opened through its adapter, looked at past it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from checkpoint.message_queue.adapters import open_admin
from checkpoint.message_queue.memory import MemoryAdminQueue, MemoryQueue
from checkpoint.message_queue.sqs import adapter as sqs_adapter
from checkpoint.testing.message_queue.under_test import Halves, open_halves

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    import pytest
    from types_boto3_sqs.type_defs import MessageTypeDef

    from checkpoint.message_queue.admin import AdminQueue
    from emulator import Emulator

MAX_RECEIVES = 3


@dataclass
class Memory:
    max_receives = MAX_RECEIVES
    queue: MemoryQueue = field(default_factory=lambda: MemoryQueue(max_receives=MAX_RECEIVES))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Halves]:
        yield Halves(self.queue, self.queue)

    @asynccontextmanager
    async def open_out_of_reach(self) -> AsyncIterator[Halves]:
        self.queue.unavailable = "out of reach"
        yield Halves(self.queue, self.queue)

    @asynccontextmanager
    async def open_admin(self) -> AsyncIterator[AdminQueue]:
        yield MemoryAdminQueue(self.queue)

    @asynccontextmanager
    async def open_admin_out_of_reach(self) -> AsyncIterator[AdminQueue]:
        self.queue.unavailable = "out of reach"
        yield MemoryAdminQueue(self.queue)

    def bodies(self) -> list[bytes]:
        return self.queue.bodies

    def dead_letters(self) -> list[tuple[bytes, str]]:
        return [(letter.body, letter.reason) for letter in self.queue.dead_letters]


@dataclass
class SQLite:
    max_receives = MAX_RECEIVES
    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}?max_receives={MAX_RECEIVES}"

    def open(self) -> AbstractAsyncContextManager[Halves]:
        return open_halves(self.url)

    def open_out_of_reach(self) -> AbstractAsyncContextManager[Halves]:
        self.path.write_text("A file, and so no directory.")
        return open_halves(f"sqlite:///{self.path}/below.db")

    def open_admin(self) -> AbstractAsyncContextManager[AdminQueue]:
        return open_admin(self.url)

    def open_admin_out_of_reach(self) -> AbstractAsyncContextManager[AdminQueue]:
        return open_admin(f"sqlite:///{self.path}/below.db")

    def bodies(self) -> list[bytes]:
        return [body for (body,) in select(self.path, "SELECT body FROM messages ORDER BY id")]

    def dead_letters(self) -> list[tuple[bytes, str]]:
        return select(self.path, "SELECT body, reason FROM dead_letters ORDER BY id")


class SQS:
    max_receives = MAX_RECEIVES

    def __init__(self, aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self._sqs = aws.sqs
        self._monkeypatch = monkeypatch
        name = f"queue-{uuid4().hex}"
        self.dead_letter_url = self._sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self.dead_letter_url, AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": arn["Attributes"]["QueueArn"], "maxReceiveCount": MAX_RECEIVES}
        self.url = self._sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(policy)})["QueueUrl"]

    def open(self) -> AbstractAsyncContextManager[Halves]:
        return open_halves(self.url)

    def open_out_of_reach(self) -> AbstractAsyncContextManager[Halves]:
        self._monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        return open_halves(self.url)

    def open_admin(self) -> AbstractAsyncContextManager[AdminQueue]:
        return sqs_adapter.open_admin(self.url, wait_seconds=0)  # the emulator is one server, so it misses none

    def open_admin_out_of_reach(self) -> AbstractAsyncContextManager[AdminQueue]:
        self._monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        return self.open_admin()

    def bodies(self) -> list[bytes]:
        return [message["Body"].encode() for message in self._take(self.url)]

    def dead_letters(self) -> list[tuple[bytes, str]]:
        return [(letter["Body"].encode(), reason(letter)) for letter in self.take_dead_letters()]

    def take_dead_letters(self) -> list[MessageTypeDef]:
        return self._take(self.dead_letter_url)

    def _take(self, url: str) -> list[MessageTypeDef]:
        found = []
        while received := self._receive(url):
            found += received
        return found

    def _receive(self, url: str) -> list[MessageTypeDef]:
        reply = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return reply.get("Messages", [])


def reason(message: MessageTypeDef) -> str:
    """Empty where SQS moved the message by itself."""
    attributes = message.get("MessageAttributes", {})
    return attributes["reason"].get("StringValue", "") if "reason" in attributes else ""


def select(path: Path, statement: str) -> list[tuple[Any, ...]]:
    """Read a SQLite file by a connection of its own."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()
