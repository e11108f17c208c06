from __future__ import annotations

import asyncio
import subprocess
import sys
from itertools import count

import pytest

from checkpoint.message_queue.adapters import open_receiving, open_sending
from checkpoint.message_queue.memory import MemoryQueue


@pytest.mark.parametrize("url", ["amqp://user:password@host/queue", "queue", "", "//user:password@host", "SQLITE:///q"])
def test_an_unknown_scheme_is_refused_by_naming_the_known_ones_and_not_the_url(url: str) -> None:
    for opening in (open_sending, open_receiving):
        with pytest.raises(
            ValueError, match="QUEUE_URL must begin with sqlite:///, https://, http:// or memory:"
        ) as caught:
            opening(url)
        assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite://user:password@host/queue.db",
        "sqlite:///queue.db?max_receives=none",
        "sqlite:///queue.db?max_receives=0",
        "sqlite:///queue.db?max_receives=",
        "sqlite:///queue.db?password=password",
    ],
)
async def test_a_sqlite_url_that_says_nothing_sensible_is_refused(url: str) -> None:
    for opening in (open_sending, open_receiving):
        with pytest.raises(ValueError, match="QUEUE_URL") as caught:
            async with opening(url):
                pass
        assert "password" not in str(caught.value)


async def test_a_memory_url_names_one_queue_for_the_whole_process() -> None:
    async with open_sending("memory:one") as sending, open_receiving("memory:one") as receiving:
        await sending.send([b"met"])
        [message] = await receiving.receive(10, wait_seconds=0, visibility_seconds=1)
        assert message.body == b"met"

    async with open_receiving("memory:other") as other:
        assert await other.receive(10, wait_seconds=0, visibility_seconds=1) == []


async def test_a_wait_in_memory_goes_by_the_clock_that_is_given() -> None:
    hours = count(step=3_600.0)
    queue = MemoryQueue(monotonic=lambda: next(hours))

    async with asyncio.timeout(10):
        assert await queue.receive(1, wait_seconds=3_600, visibility_seconds=30) == []


@pytest.mark.parametrize(
    ("url", "imported"), [("sqlite:///q.db", "sqlite3"), ("memory:", ""), ("https://h/1/q", "aiobotocore")]
)
def test_an_adapter_is_imported_only_where_the_url_names_it(url: str, imported: str) -> None:
    program = f"""
import sys
from checkpoint.message_queue.adapters import open_sending
before = {{"sqlite3", "aiobotocore"}} & set(sys.modules)
open_sending({url!r})
print(*sorted({{"sqlite3", "aiobotocore"}} & set(sys.modules) - before), *before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)

    assert done.stdout.strip() == imported
