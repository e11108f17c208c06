"""Fixtures: a world of AWS over the session's emulator, and the real adapters in it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chaos.aws.proxy import Proxy
from chaos.aws.world import AWS
from checkpoint.archive.adapters import open_archive
from checkpoint.message_queue.adapters import open_receiving, open_sending

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from checkpoint.archive.archive import Archive
    from checkpoint.message_queue.port import ReceivingQueue, SendingQueue
    from emulator_process import Emulator


@dataclass
class Adapters:
    """The real ones, as one process would have them."""

    sending: SendingQueue
    receiving: ReceivingQueue
    archive: Archive


@pytest.fixture(scope="module")
def proxy(emulator: Emulator) -> Iterator[Proxy]:
    proxy = Proxy(emulator.endpoint_url)
    with proxy.running():
        yield proxy


@pytest.fixture
def world(emulator: Emulator, proxy: Proxy) -> AWS:
    """A fresh one."""
    proxy.confirmations.clear()
    name = uuid4().hex
    return AWS(emulator, proxy, queue=f"queue-{name}", bucket=f"bucket-{name}")


@pytest.fixture
def fault(world: AWS) -> Callable[[str], Any]:
    """A fault by its name."""
    return lambda name: next(each for each in world.faults if each.name == name)


@pytest.fixture
def process(world: AWS, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AbstractAsyncContextManager[Adapters]]:
    """Opens the adapters of one process."""

    @asynccontextmanager
    async def opened(program: str = "message_broker", number: int = 1) -> AsyncIterator[Adapters]:
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        environment = world.environment(program, number)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        async with (
            open_sending(environment["QUEUE_URL"]) as sending,
            open_receiving(environment["QUEUE_URL"]) as receiving,
            open_archive(environment["ARCHIVE_URL"]) as archive,
        ):
            yield Adapters(sending, receiving, archive)

    return opened
