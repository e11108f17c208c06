"""Every answer the intake gives. One status, one meaning; the bodies are the public contract."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from processing_requests.http.response import Response, make

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from checkpoint.email import Fault

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, eq=False)
class Refusal:
    """An answer other than 200.

    error: the body's one member, and a problem's title.
    detail: a sentence for those who ask for a problem: what is wrong, and the way out.
    closes: whether the connection ends after it.
    is_held: whether it is held back for a moment, so that a crowd that ignores `Retry-After` cannot spin.
    max_bytes: the limit that the request went beyond; None for another fault.
    """

    status: int
    error: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    closes: bool = False
    is_held: bool = False
    max_bytes: int | None = None


INVALID_TOKEN: Final = Refusal(
    401,
    "Invalid token",
    "Send a valid token as the body's member `token`, or as `Authorization: Bearer`.",
    {"WWW-Authenticate": 'Bearer realm="checkpoint"'},  # RFC 9110, 11.6.1: a 401 names its challenge
)
INVALID_FIELDS: Final = Refusal(
    400, "Invalid date format or fields", "The member `data` breaks the contract of an e-mail; `errors` says where."
)
INVALID_JSON: Final = Refusal(
    400,
    "Invalid JSON",
    "The body must be one JSON object in UTF-8, without lone surrogates, nested 64 deep and of 500,000 values at most.",
)
TOO_LARGE: Final = Refusal(413, "Request too large", "The request, or its e-mail, is longer than `max_bytes`.")
UNSUPPORTED_MEDIA_TYPE: Final = Refusal(
    415,
    "Unsupported media type",
    "Send `Content-Type: application/json`, and no Content-Encoding.",
    {"Accept": "application/json", "Accept-Encoding": "identity"},  # RFC 9110, 12.5.1 and 12.5.3
)
REQUEST_TIMEOUT: Final = Refusal(
    408,
    "Request timeout",
    "The body did not arrive in time.",
    closes=True,  # RFC 9110, 15.5.9
)
QUEUE_UNAVAILABLE: Final = Refusal(
    503,
    "Queue unavailable",
    "The queue did not confirm the e-mail. Send it again: it is kept once, however often it is sent.",
    {"Retry-After": "5"},
)
QUEUE_FULL: Final = Refusal(
    503,
    "Queue full",
    "The queue has no room until messages are taken from it. Send the e-mail again: it is kept once.",
    {"Retry-After": "5"},
)
OVERLOADED: Final = Refusal(
    503,
    "Overloaded",
    "More e-mails are waiting than the service can hold. Send it again.",
    {"Retry-After": "1"},
    is_held=True,
)
INTERNAL_ERROR: Final = Refusal(
    500, "Internal error", "A fault of the service. Send it again: it is kept once, however often it is sent."
)
INVALID_HTTP: Final = Refusal(400, "Invalid HTTP request", "What arrived is not HTTP/1.1.", closes=True)
TARGET_TOO_LONG: Final = Refusal(414, "URI too long", "The request line is longer than any need be.", closes=True)
HEAD_TOO_LARGE: Final = Refusal(
    431, "Request header fields too large", "The headers are longer than any need be.", closes=True
)
VERSION_NOT_SUPPORTED: Final = Refusal(505, "HTTP version not supported", "Speak HTTP/1.1 or HTTP/1.0.", closes=True)
NOT_FOUND: Final = Refusal(404, "Not Found", "Not Found; GET /openapi.json describes what there is.")
METHOD_NOT_ALLOWED: Final = Refusal(
    405, "Method Not Allowed", "Method Not Allowed; GET /openapi.json describes what there is."
)
# What a POST to /process_request may be answered; the others are for what is no such request.
_OF_REQUESTS: Final = (
    INVALID_TOKEN,
    INVALID_FIELDS,
    INVALID_JSON,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    REQUEST_TIMEOUT,
    QUEUE_UNAVAILABLE,
    QUEUE_FULL,
    OVERLOADED,
    INTERNAL_ERROR,
)
REFUSALS: Final = (*_OF_REQUESTS, INVALID_HTTP, TARGET_TOO_LONG, HEAD_TOO_LARGE, VERSION_NOT_SUPPORTED)
STATUSES: Final = sorted({200} | {refusal.status for refusal in _OF_REQUESTS})

_JSON: Final = "application/json"
_PROCESSED: Final = make(
    200, _JSON, json.dumps({"message": "Request processed successfully"}).encode(), {"X-Message-Id": "%s"}
)
_PROCESSED_START: Final = _PROCESSED.start.decode()


class RefusedError(Exception):
    """The request ends with this refusal.

    faults: what is wrong in the e-mail, each with a pointer below the e-mail.
    """

    def __init__(self, refusal: Refusal, faults: Sequence[Fault] = ()) -> None:
        super().__init__(refusal.error)
        self.refusal = refusal
        self.faults = faults


def too_large(max_bytes: int) -> Refusal:
    """The refusal of what is longer than so many bytes."""
    detail = f"The request, or its e-mail as it would be queued, is longer than {max_bytes} bytes."
    return replace(TOO_LARGE, detail=detail, max_bytes=max_bytes)


def processed(identity: str) -> Response:
    """200: the queue has confirmed the e-mail as durable."""
    return Response(200, (_PROCESSED_START % identity).encode(), _PROCESSED.body)


def refused(fields: Mapping[bytes, bytes], refusal: Refusal, faults: Sequence[Fault] = ()) -> Response:
    """The refusal in the form that the client asked for: `error` by default, RFC 9457 where it accepts that.

    fields: the request's, as `Request` has them.
    """
    if deciding_fields(fields):
        return _response(refusal, PROBLEM_MEDIA_TYPE, _problem(refusal, faults))
    return _READY.get(refusal) or _response(refusal, _JSON, {"error": refusal.error})


def deciding_fields(fields: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """What of a request's fields decides the form of its answer, in few bytes."""
    wants_problem = b"accept" in fields and PROBLEM_MEDIA_TYPE.encode() in fields[b"accept"].lower()
    return {b"accept": PROBLEM_MEDIA_TYPE.encode()} if wants_problem else {}


def names_of(faults: Sequence[Fault]) -> list[str]:
    """The e-mail's fields that are wrong, by name; `data` where the whole of it is."""
    return [_field(fault) for fault in faults]


def _response(refusal: Refusal, media_type: str, body: dict[str, object]) -> Response:
    if refusal.max_bytes is not None:
        body["max_bytes"] = refusal.max_bytes
    return make(
        refusal.status,
        media_type,
        json.dumps(body).encode(),
        refusal.headers,
        closes=refusal.closes,
        is_held=refusal.is_held,
    )


def _problem(refusal: Refusal, faults: Sequence[Fault]) -> dict[str, object]:
    problem: dict[str, object] = {
        "type": f"urn:checkpoint:problem:{refusal.error.lower().replace(' ', '-')}",
        "title": refusal.error,
        "status": refusal.status,
        "detail": refusal.detail,
    }
    if faults:
        problem["errors"] = [{"pointer": f"#/data{fault.pointer}", "detail": _sentence(fault)} for fault in faults]
    return problem


def _sentence(fault: Fault) -> str:
    return f"{_field(fault)} {fault.reason}"


def _field(fault: Fault) -> str:
    return fault.pointer.removeprefix("/") or "data"


_READY: Final = {refusal: _response(refusal, _JSON, {"error": refusal.error}) for refusal in REFUSALS}
