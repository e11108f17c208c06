"""Opens the SQS queue that a URL names, each half with a client of its own."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiobotocore.config import AioConfig

from checkpoint.aws import open_client
from checkpoint.message_queue.sqs.admin import WAIT_SECONDS, SQSAdminQueue
from checkpoint.message_queue.sqs.answers import refuse_untrue_answers
from checkpoint.message_queue.sqs.calls import max_message_bytes
from checkpoint.message_queue.sqs.dead_letter_queue import DeadLetterQueue
from checkpoint.message_queue.sqs.depth import depth
from checkpoint.message_queue.sqs.queue import MAX_WAIT_SECONDS, SQSReceivingQueue, SQSSendingQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from types_aiobotocore_sqs import SQSClient

_CONNECT_SECONDS: Final = 2
_SEND_SECONDS: Final = 4
_RECEIVE_SECONDS: Final = MAX_WAIT_SECONDS + 5  # a long poll is silent for as long as it waits
_ATTEMPTS: Final = 3
_CONNECTIONS: Final = 64

# https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
_REGION: Final = re.compile(r"(?:^|\.)sqs(?:-fips)?\.(?P<region>[a-z0-9-]+)\.")


@asynccontextmanager
async def open_sending(url: str) -> AsyncIterator[SQSSendingQueue]:
    """The sending half.

    Raises ValueError for a URL that no standard queue has, and where neither AWS's variables nor the URL name a region.
    """
    async with _client(url, read_seconds=_SEND_SECONDS) as client:
        yield SQSSendingQueue(client, url)


@asynccontextmanager
async def open_receiving(url: str) -> AsyncIterator[SQSReceivingQueue]:
    """The receiving half; as `open_sending`."""
    async with _client(url, read_seconds=_RECEIVE_SECONDS) as client:
        yield SQSReceivingQueue(client, url)


async def inspect_sending(url: str) -> str:
    """Whether the queue answers, by the call that the intake makes: see `QueueAdapter`."""
    async with _client(url, read_seconds=_SEND_SECONDS) as client:
        longest = await max_message_bytes(client, url)
    return f"SQS answers; the queue takes messages of up to {longest:,} bytes"


async def inspect_receiving(url: str) -> str:
    """Whether the queue and its dead-letter queue answer, by the right that the broker has: see `QueueAdapter`."""
    async with _client(url, read_seconds=_SEND_SECONDS) as client:
        dead_letters = DeadLetterQueue(client, url)
        name = (await dead_letters.url()).rpartition("/")[2]
        await depth(client, url, dead_letters)  # asks both: a RedrivePolicy may name a queue that was deleted
    return f"SQS answers; the dead-letter queue is {name}"


@asynccontextmanager
async def open_admin(url: str, *, wait_seconds: int = WAIT_SECONDS) -> AsyncIterator[SQSAdminQueue]:
    """The operator's part; as `open_sending`. wait_seconds: of a long poll, by which it looks for dead letters."""
    async with _client(url, read_seconds=_RECEIVE_SECONDS) as client:
        yield SQSAdminQueue(client, url, wait_seconds=wait_seconds)


@asynccontextmanager
async def _client(url: str, *, read_seconds: int) -> AsyncIterator[SQSClient]:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("must not hold credentials; set AWS's variables for them.")
    if parts.path.endswith(".fifo"):
        raise ValueError("names a FIFO queue, which takes no message without a group; use a standard queue.")
    region = _REGION.search(parts.hostname or "")
    opening = open_client(
        "sqs",
        region=region["region"] if region else None,
        endpoint_url=f"{parts.scheme}://{parts.netloc}",
        config=AioConfig(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=read_seconds,
            max_pool_connections=_CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        ),
    )
    async with opening as client:
        refuse_untrue_answers(client)
        yield client
