"""A request's body: read within bounds of size, time and memory, then decoded; and what stands in it as `data`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import ClientDisconnect

from processing_requests.answers import (
    INVALID_JSON,
    OVERLOADED,
    REQUEST_TIMEOUT,
    UNSUPPORTED_MEDIA_TYPE,
    RefusedError,
    too_large,
)

if TYPE_CHECKING:
    from starlette.requests import Request

# Objects and arrays within one another, the posted object being the first and `data` the second. No e-mail needs more,
# and every decoder between here and a reader of the archive takes as much.
_MAX_DEPTH: Final = 64


class _Posted(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")


_decoder: Final = msgspec.json.Decoder()
_finder: Final = msgspec.json.Decoder(_Posted)


@dataclass(kw_only=True, slots=True)
class BodyReader:
    """Reads bodies; all that are being read together stay within one bound, however many clients send slowly.

    max_bytes_held: the most that unfinished bodies may have together; a single one may have more.
    timeout_seconds: for a body to arrive as a whole.
    """

    max_bytes_held: int
    timeout_seconds: float
    bytes_held: int = field(default=0, init=False)

    async def read(self, request: Request, *, max_bytes: int) -> bytes:
        """The whole body, which may have so many bytes.

        Raises RefusedError, or ClientDisconnect where the client went away.
        """
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 18 or int(declared) > max_bytes):  # noqa: PLR2004  2**63
            raise RefusedError(too_large(max_bytes))
        parts: list[bytes] = []
        length = 0
        try:
            async with asyncio.timeout(self.timeout_seconds):
                while True:
                    event = await request.receive()
                    if event["type"] == "http.disconnect":
                        raise ClientDisconnect
                    part = event.get("body", b"")
                    length += len(part)
                    self.bytes_held += len(part)
                    parts.append(part)
                    if length > max_bytes:
                        raise RefusedError(too_large(max_bytes))
                    if not event.get("more_body", False):
                        return b"".join(parts)
                    # A single body always has a place: else one that is longer than the bound could never come.
                    if self.bytes_held > max(self.max_bytes_held, length):
                        raise RefusedError(OVERLOADED)
        except TimeoutError:
            raise RefusedError(REQUEST_TIMEOUT) from None
        finally:
            self.bytes_held -= length


def check_media_type(request: Request) -> None:
    """Raise RefusedError unless the body is announced as plain JSON.

    A charset is ignored, as RFC 8259 (11) has none; a compressed body is refused by RFC 9110 (15.5.16).
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")  # RFC 6839, 3.1
    )
    if not is_json or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(UNSUPPORTED_MEDIA_TYPE)


def decode(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises RefusedError."""
    try:
        posted = _decoder.decode(body)
    except (ValueError, RecursionError):
        raise RefusedError(INVALID_JSON) from None
    # Counting brackets is enough for all but the strangest bodies, and costs nothing.
    if not isinstance(posted, dict) or (body.count(b"{") + body.count(b"[") > _MAX_DEPTH and _is_too_deep(posted)):
        raise RefusedError(INVALID_JSON)
    return posted


def text_of_data(body: bytes) -> bytes:
    """What stands in a body as `data`, as it was written: a copy, which does not keep the whole body in memory.

    body: one that `decode` takes. Of several members of that name, both take the last.
    """
    return bytes(_finder.decode(body).data)


def _is_too_deep(posted: dict[str, Any]) -> bool:
    level: list[Any] = [posted]
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
