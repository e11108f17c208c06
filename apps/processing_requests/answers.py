"""Every answer the intake gives. One status, one meaning; the bodies are the public contract."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.exceptions import HTTPException
    from starlette.requests import Request

    from checkpoint.email import Fault

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True)
class Refusal:
    """An answer other than 200.

    error: the body's one member, and a problem's title.
    detail: a sentence for those who ask for a problem: what is wrong, and the way out.
    max_bytes: the limit that the request went beyond; None for another fault.
    """

    status: int
    error: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
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
    400, "Invalid JSON", "The body must be one JSON object in UTF-8, without lone surrogates, nested 64 deep at most."
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
    {"Connection": "close"},  # RFC 9110, 15.5.9
)
QUEUE_UNAVAILABLE: Final = Refusal(
    503,
    "Queue unavailable",
    "The queue did not confirm the e-mail. Send it again: it is kept once, however often it is sent.",
    {"Retry-After": "5"},
)
OVERLOADED: Final = Refusal(
    503, "Overloaded", "More e-mails are waiting than the service can hold. Send it again.", {"Retry-After": "1"}
)
INTERNAL_ERROR: Final = Refusal(
    500, "Internal error", "A fault of the service. Send it again: it is kept once, however often it is sent."
)
INVALID_HTTP: Final = Refusal(400, "Invalid HTTP request", "What arrived is not HTTP/1.1.", {"Connection": "close"})
HEAD_TOO_LARGE: Final = Refusal(
    431, "Request header fields too large", "The headers are longer than any need be.", {"Connection": "close"}
)
# What a POST to /process_request may be answered; the two others are for what is not a request.
_OF_REQUESTS: Final = (
    INVALID_TOKEN,
    INVALID_FIELDS,
    INVALID_JSON,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    REQUEST_TIMEOUT,
    QUEUE_UNAVAILABLE,
    OVERLOADED,
    INTERNAL_ERROR,
)
REFUSALS: Final = (*_OF_REQUESTS, INVALID_HTTP, HEAD_TOO_LARGE)
STATUSES: Final = sorted({200} | {refusal.status for refusal in _OF_REQUESTS})

_PROCESSED: Final = json.dumps({"message": "Request processed successfully"}).encode()


class RefusedError(Exception):
    """The request ends with this refusal.

    faults: what is wrong in the e-mail, each with a pointer below the e-mail.
    """

    def __init__(self, refusal: Refusal, faults: Sequence[Fault] = ()) -> None:
        super().__init__(refusal.error)
        self.refusal = refusal
        self.faults = faults

    @property
    def fields(self) -> list[str]:
        """The e-mail's fields that are wrong, by name; `data` where the whole of it is."""
        return [_field(fault) for fault in self.faults]


def too_large(max_bytes: int) -> Refusal:
    """The refusal of what is longer than so many bytes."""
    detail = f"The request, or its e-mail as it would be queued, is longer than {max_bytes} bytes."
    return replace(TOO_LARGE, detail=detail, max_bytes=max_bytes)


def processed(identity: str) -> Response:
    """200: the queue has confirmed the e-mail as durable."""
    return Response(_PROCESSED, media_type="application/json", headers={"X-Message-Id": identity})


def refused(request: Request, refusal: Refusal, faults: Sequence[Fault] = ()) -> Response:
    """The refusal in the form that the client asked for: `error` by default, RFC 9457 where it accepts that."""
    wants_problem = any(PROBLEM_MEDIA_TYPE in value.lower() for value in request.headers.getlist("accept"))
    body: dict[str, object] = _problem(refusal, faults) if wants_problem else {"error": refusal.error}
    if refusal.max_bytes is not None:
        body["max_bytes"] = refusal.max_bytes
    media_type = PROBLEM_MEDIA_TYPE if wants_problem else "application/json"
    return Response(json.dumps(body), refusal.status, dict(refusal.headers), media_type)


def refusal_of(error: HTTPException) -> Refusal:
    """A refusal for what the router itself refuses: another path, another method."""
    phrase = HTTPStatus(error.status_code).phrase
    detail = f"{phrase}; GET /openapi.json describes what there is."
    return Refusal(error.status_code, phrase, detail, error.headers or {})


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
