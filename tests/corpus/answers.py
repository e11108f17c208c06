"""The answers of the public contract, written down once more."""

from __future__ import annotations

import json
from typing import Final

from corpus.case import Answer, kept
from corpus.raw_requests import EMAIL, MAX_BYTES


def _error(status: int, text: str, **headers: str) -> Answer:
    body = json.dumps({"error": text}).encode()
    return Answer(status=status, body=body).saying(content_type="application/json", **headers)


KEPT: Final = kept(EMAIL)
PAGE: Final = Answer(status=200)
CONTINUE: Final = Answer(status=100, has_body=False)

# After these, the connection goes on.
INVALID_JSON: Final = _error(400, "Invalid JSON")
INVALID_FIELDS: Final = _error(400, "Invalid date format or fields")
INVALID_TOKEN: Final = _error(401, "Invalid token", www_authenticate='Bearer realm="checkpoint"')
NOT_FOUND: Final = _error(404, "Not Found")
ONLY_POST: Final = _error(405, "Method Not Allowed", allow="POST")
ONLY_GET: Final = _error(405, "Method Not Allowed", allow="GET, HEAD")
TOO_LARGE: Final = Answer(
    status=413,
    body=json.dumps({"error": "Request too large", "max_bytes": MAX_BYTES}).encode(),
)
UNSUPPORTED_MEDIA_TYPE: Final = _error(
    415, "Unsupported media type", accept="application/json", accept_encoding="identity"
)

# After these, it ends.
INVALID_HTTP: Final = _error(400, "Invalid HTTP request").closing()
REQUEST_TIMEOUT: Final = _error(408, "Request timeout").closing()
URI_TOO_LONG: Final = _error(414, "URI too long").closing()
HEAD_TOO_LARGE: Final = _error(431, "Request header fields too large").closing()
VERSION_NOT_SUPPORTED: Final = _error(505, "HTTP version not supported").closing()

NOTHING: Final[tuple[Answer, ...]] = ()
