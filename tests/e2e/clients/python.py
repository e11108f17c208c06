"""Posts as Python's clients do: `python.py LIBRARY URL`, then a line `FRAMING FILE` on standard input for each request.

FRAMING: `length` or `chunked`, or `expect` for aiohttp. Prints `STATUS BODY` for each answer. One client posts all.
"""

from __future__ import annotations

import asyncio
import http.client
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import aiohttp
import httpx
import requests
import urllib3

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

JSON: Final = {"Content-Type": "application/json"}


def pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


async def pieces_in_time(body: bytes) -> AsyncIterator[bytes]:
    for piece in pieces(body):
        yield piece


def asked() -> Iterator[tuple[str, bytes]]:
    for line in sys.stdin:
        framing, file = line.split()
        yield framing, Path(file).read_bytes()


def answered(status: int, body: bytes) -> None:
    print(status, body.decode())  # noqa: T201  its output is what it is for


def with_http_client(url: str) -> None:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    for framing, body in asked():
        connection.request("POST", parts.path, pieces(body) if framing == "chunked" else body, JSON)
        response = connection.getresponse()
        answered(response.status, response.read())


def with_urllib3(url: str) -> None:
    pool = urllib3.PoolManager(retries=False, timeout=20)
    for framing, body in asked():
        response = pool.request("POST", url, body=pieces(body) if framing == "chunked" else body, headers=JSON)
        answered(response.status, response.data)


def with_requests(url: str) -> None:
    session = requests.Session()
    for framing, body in asked():
        content = pieces(body) if framing == "chunked" else body
        response = session.post(url, data=content, headers=JSON, timeout=20)
        answered(response.status_code, response.content)


def with_httpx(url: str) -> None:
    with httpx.Client(timeout=20) as client:
        for framing, body in asked():
            response = client.post(url, content=pieces(body) if framing == "chunked" else body, headers=JSON)
            answered(response.status_code, response.content)


def with_aiohttp(url: str) -> None:
    async def post_all() -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
            for framing, body in asked():
                content = pieces_in_time(body) if framing == "chunked" else body
                async with session.post(url, data=content, headers=JSON, expect100=framing == "expect") as response:
                    answered(response.status, await response.read())

    asyncio.run(post_all())


LIBRARIES: Final = {
    "http.client": with_http_client,
    "urllib3": with_urllib3,
    "requests": with_requests,
    "httpx": with_httpx,
    "aiohttp": with_aiohttp,
}

if __name__ == "__main__":
    LIBRARIES[sys.argv[1]](sys.argv[2])
