"""A small S3 over HTTP, with one bucket, whose faults a test switches on. It checks no signature.

In a test: `async with S3Stub() as s3`. As a process of its own, in the folder tests:
`python -m stubs.s3`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import md5
from html import escape, unescape
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import msgspec
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_METADATA: Final = "x-amz-meta-"
_OF_A_BUCKET: Final = {"GET": "LIST", "POST": "DELETE"}
_LARGEST_PUT: Final = 64 * 1024 * 1024  # bytes


class Effect(StrEnum):
    """What a fault does to the answer. Headers stay those of the object as it is stored, unless said otherwise."""

    INTERNAL_ERROR = "internal_error"  # 500, and nothing was done
    INTERNAL_ERROR_AFTER_STORING = "internal_error_after_storing"  # 500 to a PUT that was done
    SLOW_DOWN = "slow_down"  # 503
    ACCESS_DENIED = "access_denied"  # 403
    ARCHIVED = "archived"  # in GLACIER: a GET is 403 InvalidObjectState, a HEAD is 200 and names the storage class
    WRONG_BYTES = "wrong_bytes"  # GET: as many bytes, at random
    SHORT_BODY = "short_body"  # GET: half of the bytes, and a Content-Length to match
    TORN_BODY = "torn_body"  # GET: half of the bytes, then the connection is closed
    ETAG_NOT_MD5 = "etag_not_md5"  # as with SSE-KMS
    NO_METADATA = "no_metadata"  # x-amz-meta-* headers are not given back


class Fault(msgspec.Struct, kw_only=True):
    """An effect, and the requests that it is for.

    method: GET, HEAD, PUT, DELETE or LIST; None: all of them. key: a pattern as of a shell.
    share: of those requests, 0 to 1. times: so many of them and no more; None: without end.
    """

    effect: Effect
    method: str | None = None
    key: str = "*"
    share: float = 1.0
    times: int | None = None


_REFUSALS: Final = {
    Effect.INTERNAL_ERROR: (500, "InternalError"),
    Effect.SLOW_DOWN: (503, "SlowDown"),
    Effect.ACCESS_DENIED: (403, "AccessDenied"),
}


@dataclass(frozen=True)
class StoredObject:
    """An object. metadata: its x-amz-meta-* headers, without that prefix."""

    body: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))

    def etag(self, *, is_md5: bool) -> str:
        """In quotes, as S3 gives it."""
        hashed = self.body if is_md5 else b"encrypted" + self.body
        return f'"{md5(hashed, usedforsecurity=False).hexdigest()}"'


class Request(NamedTuple):
    """A request that came.

    A list of the bucket has the method LIST, and the prefix as its key; a delete of several objects has no key.
    """

    method: str
    key: str


class S3Stub:
    """An S3 endpoint with one bucket.

    port: to listen on at 127.0.0.1; 0: any that is free. latency: seconds before each answer.
    url: the endpoint's, once it is entered. objects: by key; plant or remove what you like.
    faults: the ones switched on; all that fit a request take effect. `PUT /_faults` sets them from another process, as
    a JSON list of what `Fault` takes. requests: all that came, faults included.
    """

    def __init__(self, *, bucket: str = "archive", port: int = 0, latency: float = 0, seed: int = 0) -> None:
        self.bucket = bucket
        self.url = ""
        self.objects: dict[str, StoredObject] = {}
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self._port = port
        self._latency = latency
        self._random = random.Random(seed)
        app = web.Application(client_max_size=_LARGEST_PUT)
        app.router.add_put("/_faults", self._set_faults)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

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
    def environment(self) -> dict[str, str]:
        """What makes an AWS SDK, in this process or another, talk to the stub."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    async def _set_faults(self, request: web.Request) -> web.Response:
        try:
            self.faults = msgspec.json.decode(await request.read(), type=list[Fault])
        except msgspec.ValidationError as error:
            return web.Response(status=400, text=str(error))
        return web.Response(status=204)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        await asyncio.sleep(self._latency)
        bucket, _, key = request.path.removeprefix("/").partition("/")
        method = request.method
        if not key:
            method, key = _OF_A_BUCKET.get(method, method), request.query.get("prefix", "")
        self.requests.append(Request(method, key))
        effects = self._effects(method, key)
        if refused := effects & _REFUSALS.keys():
            return _error(*_REFUSALS[min(refused)])
        if bucket != self.bucket:
            return _error(404, "NoSuchBucket")
        return await self._do(method, key, request, body, effects)

    async def _do(
        self, method: str, key: str, request: web.Request, body: bytes, effects: set[Effect]
    ) -> web.StreamResponse:
        match method:
            case "PUT":
                return self._put(request, key, body, effects)
            case "GET" | "HEAD":
                return await self._get(request, key, effects)
            case "DELETE":
                return self._delete(key, body)
            case "LIST":
                return self._list(request, key, effects)
        return _error(405, "MethodNotAllowed")

    def _effects(self, method: str, key: str) -> set[Effect]:
        found = set()
        for fault in self.faults:
            fits = fault.method in (None, method) and fnmatchcase(key, fault.key) and fault.times != 0
            if fits and self._random.random() < fault.share:
                found.add(fault.effect)
                if fault.times is not None:
                    fault.times -= 1
        return found

    def _put(self, request: web.Request, key: str, body: bytes, effects: set[Effect]) -> web.Response:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        if request.headers.get("If-None-Match") == "*" and key in self.objects:
            return _error(412, "PreconditionFailed")
        metadata = {
            name.lower().removeprefix(_METADATA): value
            for name, value in request.headers.items()
            if name.lower().startswith(_METADATA)
        }
        stored = self.objects[key] = StoredObject(body, metadata)
        if Effect.INTERNAL_ERROR_AFTER_STORING in effects:
            return _error(500, "InternalError")
        return web.Response(headers={"ETag": stored.etag(is_md5=Effect.ETAG_NOT_MD5 not in effects)})

    async def _get(self, request: web.Request, key: str, effects: set[Effect]) -> web.StreamResponse:
        stored = self.objects.get(key)
        if stored is None:
            return _error(404, "NoSuchKey")
        headers = {
            "ETag": stored.etag(is_md5=Effect.ETAG_NOT_MD5 not in effects),
            "Last-Modified": format_datetime(stored.modified, usegmt=True),
        }
        if Effect.NO_METADATA not in effects:
            headers |= {f"{_METADATA}{name}": value for name, value in stored.metadata.items()}
        if Effect.ARCHIVED in effects:
            if request.method == "GET":
                return _error(403, "InvalidObjectState")
            headers["x-amz-storage-class"] = "GLACIER"
        body = stored.body
        if request.method == "GET" and Effect.WRONG_BYTES in effects:
            body = self._random.randbytes(len(body))
        if request.method == "GET" and Effect.SHORT_BODY in effects:
            body = body[: len(body) // 2]
        if request.method == "GET" and Effect.TORN_BODY in effects:
            return await _torn(request, body, headers)
        return web.Response(body=body, headers=headers, content_type="binary/octet-stream")

    def _delete(self, key: str, body: bytes) -> web.Response:
        """One object by its key, or several by a list of keys, as DeleteObjects has it.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
        """
        if key:
            self.objects.pop(key, None)
            return web.Response(status=204)
        keys: list[str] = re.findall("<Key>(.*?)</Key>", body.decode())
        for each in keys:
            self.objects.pop(unescape(each), None)
        deleted = "".join(f"<Deleted><Key>{each}</Key></Deleted>" for each in keys)
        return _xml(200, f"<DeleteResult>{deleted}</DeleteResult>")

    def _list(self, request: web.Request, prefix: str, effects: set[Effect]) -> web.Response:
        """One page of ListObjectsV2, in the order of UTF-8; the token is the last key of the page before.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
        """
        after = max(request.query.get("start-after", ""), request.query.get("continuation-token", ""))
        keys = sorted((key for key in self.objects if key.startswith(prefix) and key > after), key=str.encode)
        page = keys[: int(request.query.get("max-keys", "1000"))]
        more = len(keys) > len(page)
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key>"
            f"<LastModified>{stored.modified:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>{escape(stored.etag(is_md5=Effect.ETAG_NOT_MD5 not in effects))}</ETag>"
            f"<Size>{len(stored.body)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for key, stored in ((key, self.objects[key]) for key in page)
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return _xml(
            200,
            f"<ListBucketResult><Name>{escape(self.bucket)}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<KeyCount>{len(page)}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{contents}</ListBucketResult>",
        )


async def _torn(request: web.Request, body: bytes, headers: Mapping[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport:
        request.transport.close()
    return response


def _error(status: int, code: str) -> web.Response:
    """As https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html shows errors."""
    return _xml(status, f"<Error><Code>{code}</Code><Message>{code}</Message><RequestId>stub</RequestId></Error>")


def _xml(status: int, content: str) -> web.Response:
    return web.Response(
        status=status, text=f'<?xml version="1.0" encoding="UTF-8"?>\n{content}', content_type="application/xml"
    )


async def _serve(bucket: str, port: int, latency: float) -> None:
    async with S3Stub(bucket=bucket, port=port, latency=latency) as s3:
        sys.stdout.write(f"{s3.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Print the endpoint's URL, then serve until a signal ends it."""
    parser = argparse.ArgumentParser(description="A small S3 with one bucket.")
    parser.add_argument("--bucket", default="archive")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0, help="seconds before each answer")
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.bucket, arguments.port, arguments.latency))


if __name__ == "__main__":
    main()
