"""The built-in adapters: which URLs they open, and what is imported for each."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING

import pytest

from checkpoint.archive import azure, gcs, local_files, s3
from checkpoint.archive.adapters import ARCHIVES, open_archive
from checkpoint.message_queue.adapters import QUEUES, open_receiving, open_sending
from checkpoint.message_queue.memory import MemoryQueue
from checkpoint.message_queue.sqlite import adapter as sqlite
from checkpoint.message_queue.sqs import adapter as sqs

if TYPE_CHECKING:
    from checkpoint.archive.adapters import StoreAdapter
    from checkpoint.message_queue.adapters import QueueAdapter

# Written out so that types are checked, which a table of names escapes.
QUEUE_ADAPTERS: list[QueueAdapter] = [sqlite, sqs]
STORE_ADAPTERS: list[StoreAdapter] = [azure, gcs, local_files, s3]


def test_every_built_in_adapter_is_one_whose_types_are_checked() -> None:
    assert {id(import_module(name)) for name in QUEUES.built_in.values()} == {id(each) for each in QUEUE_ADAPTERS}
    assert {id(import_module(name)) for name in ARCHIVES.built_in.values()} == {id(each) for each in STORE_ADAPTERS}


@pytest.mark.parametrize(
    "url", ["amqp://user:password@host/queue", "queue", "", "//user:password@host", "memory:password"]
)
def test_an_unknown_scheme_is_refused_by_naming_the_known_ones_and_not_the_url(url: str) -> None:
    for opening in (open_sending, open_receiving):
        with pytest.raises(ValueError, match="must be one of sqlite, https, http") as caught:
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
        "sqlite:///queue.db?max_receives=20&max_bytes=67108863",
        "sqlite:///queue.db?reserve_bytes=-1",
        "sqlite:///queue.db?password=password",
    ],
)
async def test_a_sqlite_url_that_says_nothing_sensible_is_refused(url: str) -> None:
    for opening in (open_sending, open_receiving):
        with pytest.raises(ValueError, match=r"sqlite:///|max_receives|max_bytes|reserve_bytes") as caught:
            async with opening(url):
                pass
        assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    "endpoint", ["password", "ftp://password", "http://[password", "http://host:password", "http://"]
)
async def test_an_endpoint_of_s3_that_is_no_url_is_refused_before_it_is_used(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(ValueError, match=r"^AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is not the URL of an endpoint\.$"):
        async with s3.open_store("s3://bucket"):
            pass


@pytest.mark.parametrize(
    "url", ["file://user:password@host/archive", "s3:///password", "gs://", "az://user:password@/", "memory:///"]
)
async def test_a_url_that_no_store_opens_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as caught:
        async with open_archive(url):
            pass
    assert "password" not in str(caught.value)


async def test_a_wait_in_memory_goes_by_the_clock_that_is_given() -> None:
    hours = count(step=3_600.0)
    queue = MemoryQueue(monotonic=lambda: next(hours))

    async with asyncio.timeout(10):
        assert await queue.receive(1, wait_seconds=3_600, visibility_seconds=30) == []


def imported_for(registry: str, url: str, *watched: str) -> list[str]:
    """Which of the watched modules a process has imported that finds the adapter of a URL."""
    package = {"QUEUES": "message_queue", "ARCHIVES": "archive"}[registry]
    program = f"""
import sys
from checkpoint.{package}.adapters import {registry}
{registry}.check({url!r})
{registry}.find({url!r})
print(*sorted({set(watched)} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("registry", "url", "imported"),
    [
        ("QUEUES", "sqlite:///q.db", ["sqlite3"]),
        ("QUEUES", "SQLITE:///q.db", ["sqlite3"]),
        ("QUEUES", "https://h/1/q", ["aiobotocore"]),
        ("ARCHIVES", "file:///archive", []),
        ("ARCHIVES", "s3://bucket", ["aiobotocore", "obstore"]),
        ("ARCHIVES", "gs://bucket", ["obstore"]),
    ],
)
def test_an_adapter_is_imported_only_where_the_url_names_it(registry: str, url: str, imported: list[str]) -> None:
    assert imported_for(registry, url, "aiobotocore", "obstore", "sqlite3") == imported


@pytest.mark.parametrize(("registry", "url"), [("QUEUES", "sqlite:///q.db"), ("ARCHIVES", "file:///archive")])
def test_for_the_defaults_no_package_is_asked_for_its_entry_points(registry: str, url: str) -> None:
    assert imported_for(registry, url, "importlib.metadata") == []
