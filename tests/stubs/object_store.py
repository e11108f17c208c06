"""What the stubs of object stores share: objects, faults that a test switches on, and their HTTP. None checks a key.

A store's own module says how it speaks. As a process of its own, in the folder tests: `python -m stubs.s3`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import md5
from html import escape
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Self

import msgspec
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_OF_A_BUCKET: Final = {"GET": "LIST", "POST": "DELETE"}
PAGE: Final = b"<!DOCTYPE html><title>Sign in</title>"
# Of that form for a page from a framework that hashes it; an ETag of S3 looks the same.
_PAGES_ETAG: Final = f'"{md5(PAGE, usedforsecurity=False).hexdigest()}"'
_LARGEST_PUT: Final = 64 * 1024 * 1024  # bytes


class Effect(StrEnum):
    """What a fault does to the answer. Headers stay those of the object as it is stored, unless said otherwise."""

    INTERNAL_ERROR = "internal_error"  # 500, and nothing was done
    INTERNAL_ERROR_AFTER_STORING = "internal_error_after_storing"  # 500 to a PUT that was done
    SLOW_DOWN = "slow_down"  # 503
    ACCESS_DENIED = "access_denied"  # 403
    ARCHIVED = "archived"  # a GET is refused, a HEAD names the storage class; Google's classes are all read at once
    WRONG_BYTES = "wrong_bytes"  # GET: as many bytes, at random
    SHORT_BODY = "short_body"  # GET: half of the bytes, and a Content-Length to match
    TORN_BODY = "torn_body"  # GET: half of the bytes, then the connection is closed
    ETAG_NOT_MD5 = "etag_not_md5"  # as with keys of the customer's own
    NO_METADATA = "no_metadata"  # the metadata's headers are not given back
    PORTAL = "portal"  # 200 with a page in HTML, which a captive portal gives to everything; nothing was done
    PORTAL_WITHOUT_ETAG = "portal_without_etag"  # and without the headers that a file server gives to a page
    HANGS = "hangs"  # no answer, as long as the client waits for one


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


@dataclass(frozen=True)
class StoredObject:
    """An object. metadata: by name, without the prefix of its header."""

    body: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))

    def etag(self, *, is_md5: bool) -> str:
        """In quotes, as a header has it."""
        hashed = self.body if is_md5 else b"encrypted" + self.body
        return f'"{md5(hashed, usedforsecurity=False).hexdigest()}"'


class Request(NamedTuple):
    """A request that came.

    A list of the bucket has the method LIST, and the prefix as its key; a delete of several objects has no key.
    """

    method: str
    key: str


class Refusal(NamedTuple):
    """A status, and the code that the store gives with it."""

    status: int
    code: str


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a store speaks.

    metadata: the prefix of the headers with an object's metadata.
    create_only: the header of a PUT that must create, and its value; created: the status of a PUT that was done;
    taken: the answer where the name was taken.
    archived: the answer to a GET of an object in an archived class, and the header that names the class; None for a
    store without such classes.
    """

    metadata: str
    create_only: tuple[str, str]
    taken: Refusal
    no_bucket: Refusal
    no_object: Refusal
    internal_error: Refusal
    slow_down: Refusal
    access_denied: Refusal
    created: int = 200
    archived: tuple[Refusal, tuple[str, str]] | None = None


class ObjectStoreStub:
    """An endpoint with one bucket.

    port: to listen on at 127.0.0.1; 0: any that is free. latency: seconds before each answer.
    url: the endpoint's, once it is entered. objects: by key; plant or remove what you like.
    faults: the ones switched on; all that fit a request take effect. `PUT /_faults` sets them from another process, as
    a JSON list of what `Fault` takes. requests: all that came, faults included.
    authorizations: what their header Authorization was.
    """

    dialect: ClassVar[Dialect]

    def __init__(self, *, bucket: str = "archive", port: int = 0, latency: float = 0, seed: int = 0) -> None:
        self.bucket = bucket
        self.url = ""
        self.objects: dict[str, StoredObject] = {}
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.authorizations: list[str] = []
        self._port = port
        self._latency = latency
        self._random = random.Random(seed)
        app = web.Application(client_max_size=_LARGEST_PUT)
        app.router.add_put("/_faults", self._set_faults)
        self._add_routes(app.router)
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
        """What makes a client of that store, in this process or another, talk to the stub."""
        raise NotImplementedError

    def etag(self, stored: StoredObject, effects: set[Effect]) -> str:
        """The ETag that an answer gives."""
        return stored.etag(is_md5=Effect.ETAG_NOT_MD5 not in effects)

    def refuse(self, refusal: Refusal) -> web.Response:
        """An answer with a status and a code."""
        code = f"<Code>{refusal.code}</Code><Message>{refusal.code}</Message><RequestId>stub</RequestId>"
        return xml(refusal.status, f"<Error>{code}</Error>")

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        """Add what the store answers beside its objects."""

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
        self.authorizations.append(request.headers.get("Authorization", ""))
        effects = self._effects(method, key)
        if Effect.HANGS in effects:
            await asyncio.Event().wait()
        if effects & {Effect.PORTAL, Effect.PORTAL_WITHOUT_ETAG}:
            return _page(effects)
        refusals = {
            Effect.INTERNAL_ERROR: self.dialect.internal_error,
            Effect.SLOW_DOWN: self.dialect.slow_down,
            Effect.ACCESS_DENIED: self.dialect.access_denied,
        }
        if refused := effects & refusals.keys():
            return self.refuse(refusals[min(refused)])
        if bucket != self.bucket:
            return self.refuse(self.dialect.no_bucket)
        return await self._do(method, key, request, body, effects)

    async def _do(
        self, method: str, key: str, request: web.Request, body: bytes, effects: set[Effect]
    ) -> web.StreamResponse:
        match method:
            case "PUT":
                return self._put(request, key, body, effects)
            case "GET" | "HEAD":
                return await self._get(request, key, effects)
            case "LIST":
                return self._list(request, key, effects)
        return self.refuse(Refusal(405, "MethodNotAllowed"))

    def _list(self, request: web.Request, prefix: str, effects: set[Effect]) -> web.Response:
        """One page of ListObjectsV2, in the order of UTF-8; the token is the last key of the page before.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
        https://cloud.google.com/storage/docs/xml-api/get-bucket-list
        """
        after = max(request.query.get("start-after", ""), request.query.get("continuation-token", ""))
        page, more = self._page(prefix, after, int(request.query.get("max-keys", "1000")))
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key>"
            f"<LastModified>{stored.modified:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>{escape(self.etag(stored, effects))}</ETag>"
            f"<Size>{len(stored.body)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for key, stored in ((key, self.objects[key]) for key in page)
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return xml(
            200,
            f"<ListBucketResult><Name>{escape(self.bucket)}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<KeyCount>{len(page)}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{contents}</ListBucketResult>",
        )

    def _page(self, prefix: str, after: str, most: int) -> tuple[list[str], bool]:
        """Keys in the order of UTF-8, and whether more follow."""
        keys = sorted((key for key in self.objects if key.startswith(prefix) and key > after), key=str.encode)
        return keys[:most], len(keys) > most

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
        header, value = self.dialect.create_only
        if request.headers.get(header) == value and key in self.objects:
            return self.refuse(self.dialect.taken)
        prefix = self.dialect.metadata
        metadata = {
            name.lower().removeprefix(prefix): value
            for name, value in request.headers.items()
            if name.lower().startswith(prefix)
        }
        stored = self.objects[key] = StoredObject(body, metadata)
        if Effect.INTERNAL_ERROR_AFTER_STORING in effects:
            return self.refuse(self.dialect.internal_error)
        return web.Response(status=self.dialect.created, headers={"ETag": self.etag(stored, effects)})

    async def _get(self, request: web.Request, key: str, effects: set[Effect]) -> web.StreamResponse:
        stored = self.objects.get(key)
        if stored is None:
            return self.refuse(self.dialect.no_object)
        headers = {
            "ETag": self.etag(stored, effects),
            "Last-Modified": format_datetime(stored.modified, usegmt=True),
        }
        if Effect.NO_METADATA not in effects:
            headers |= {f"{self.dialect.metadata}{name}": value for name, value in stored.metadata.items()}
        if Effect.ARCHIVED in effects and self.dialect.archived:
            refusal, (name, value) = self.dialect.archived
            if request.method == "GET":
                return self.refuse(refusal)
            headers[name] = value
        body = stored.body
        if request.method == "GET" and Effect.WRONG_BYTES in effects:
            body = self._random.randbytes(len(body))
        if request.method == "GET" and Effect.SHORT_BODY in effects:
            body = body[: len(body) // 2]
        if request.method == "GET" and Effect.TORN_BODY in effects:
            return await _torn(request, body, headers)
        headers["Content-Length"] = str(len(body))  # aiohttp leaves 0 out
        return web.Response(body=body, headers=headers, content_type="binary/octet-stream")


def _page(effects: set[Effect]) -> web.Response:
    has_etag = Effect.PORTAL in effects
    headers = {"ETag": _PAGES_ETAG, "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"} if has_etag else {}
    return web.Response(body=PAGE, headers=headers, content_type="text/html")


async def _torn(request: web.Request, body: bytes, headers: Mapping[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport:
        request.transport.close()
    return response


def xml(status: int, content: str) -> web.Response:
    """An answer in XML."""
    return web.Response(
        status=status, text=f'<?xml version="1.0" encoding="UTF-8"?>\n{content}', content_type="application/xml"
    )


async def _serve(stub: ObjectStoreStub) -> None:
    async with stub:
        sys.stdout.write(f"{stub.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main(kind: type[ObjectStoreStub]) -> None:
    """Print the endpoint's URL, then serve until a signal ends it."""
    parser = argparse.ArgumentParser(description="A small object store with one bucket.")
    parser.add_argument("--bucket", default="archive")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0, help="seconds before each answer")
    arguments = parser.parse_args()
    asyncio.run(_serve(kind(bucket=arguments.bucket, port=arguments.port, latency=arguments.latency)))
