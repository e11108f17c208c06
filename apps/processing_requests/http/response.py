"""An answer's bytes, made before the request comes wherever they do not depend on it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from processing_requests.http.long_body import LongBody


class Response(NamedTuple):
    """An answer, but for what the connection adds: `Date`, `Connection`, and the end of the head.

    start: the status line and the headers, each with its line end.
    closes: whether the connection ends after it.
    is_held: whether it is held back for a moment, so that a crowd that ignores `Retry-After` cannot spin.
    long_body: in place of `body`, which is empty then.
    """

    status: int
    start: bytes
    body: bytes
    closes: bool = False
    is_held: bool = False
    long_body: LongBody | None = None


def make(
    status: int,
    media_type: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    closes: bool = False,
    is_held: bool = False,
) -> Response:
    """A response with `Content-Type` and `Content-Length`; headers: names and values in ASCII."""
    about = {"Content-Type": media_type, "Content-Length": str(len(body))}
    return Response(status, start_of(status, about | dict(headers or {})), body, closes, is_held)


def start_of(status: int, headers: Mapping[str, str]) -> bytes:
    """The status line and these headers, as `Response` has them."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")
