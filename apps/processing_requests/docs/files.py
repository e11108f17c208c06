"""`GET /openapi.json`, and `GET /docs` for people: Swagger UI, and a plain page where there is no JavaScript."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from processing_requests.docs.page import render
from processing_requests.http.documents import document, long_document
from processing_requests.openapi import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from processing_requests.http.documents import Document

_HERE: Final = Path(__file__).parent
_HTML: Final = "text/html; charset=utf-8"
_CSS: Final = "text/css; charset=utf-8"
_SCRIPT: Final = "text/javascript; charset=utf-8"
_SAFE: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
# To be asked for again, which 304 answers as long as nothing has changed.
_CHANGING: Final = _SAFE | {"Cache-Control": "no-cache"}
# Its address has the version. RFC 9111, 5.2.2; RFC 8246.
_LASTING: Final = _SAFE | {"Cache-Control": "public, max-age=31536000, immutable"}
# What Swagger UI needs, and no more: it may run and fetch what comes from here, and send requests to here.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _Contents(msgspec.Struct):
    """What dev/swagger_ui.py has written of the package."""

    version: str
    sha256: dict[str, str]
    bytes: dict[str, int]


@cache  # the same for every intake of a process
def documents() -> Mapping[bytes, Document]:
    """All of them, by path. Reads files; raises OSError where one is missing."""
    description = describe()
    contents = msgspec.json.decode((_HERE / "swagger_ui/contents.json").read_bytes(), type=_Contents)
    folder = f"docs/{contents.version}"
    page = render(description, folder).encode()
    found = {
        b"/openapi.json": _own("application/json", msgspec.json.encode(description)),
        b"/docs": _own(_HTML, page, {"Content-Security-Policy": _POLICY}),
        b"/docs/docs.css": _own(_CSS, (_HERE / "docs.css").read_bytes()),
        b"/docs/docs.js": _own(_SCRIPT, (_HERE / "docs.js").read_bytes()),
    }
    for name, size in contents.bytes.items():
        media_type = _CSS if name.endswith(".css") else _SCRIPT
        compressed = (_HERE / f"swagger_ui/{name}.gz").read_bytes()
        tag = contents.sha256[name][:32]
        found[f"/{folder}/{name}".encode()] = long_document(media_type, compressed, size, tag, _LASTING)
    return found


def _own(media_type: str, content: bytes, headers: Mapping[str, str] | None = None) -> Document:
    return document(media_type, content, hashlib.sha256(content).hexdigest()[:32], _CHANGING | dict(headers or {}))
