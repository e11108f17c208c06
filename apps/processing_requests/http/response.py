"""An answer's bytes, made before the request comes wherever they do not depend on it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Response(NamedTuple):
    """An answer, but for what the connection adds: `Date`, `Connection`, and the end of the head.

    start: the status line and the headers, each with its line end.
    closes: whether the connection ends after it.
    is_held: whether it is held back for a moment, so that a crowd that ignores `Retry-After` cannot spin.
    """

    status: int
    start: bytes
    body: bytes
    closes: bool = False
    is_held: bool = False


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
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Type: {media_type}"]
    lines += [f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in (headers or {}).items()), ""]
    return Response(status, "\r\n".join(lines).encode("ascii"), body, closes, is_held)
