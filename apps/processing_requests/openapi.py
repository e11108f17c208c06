"""The intake's description, generated from types."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from checkpoint.email import MAX_EXACT_NUMBER, MAX_TIMESTREAM_DIGITS
from checkpoint.version import VERSION
from processing_requests.answers import PROBLEM_MEDIA_TYPE, REFUSALS

_EXAMPLE: Final = {
    "email_subject": "Your Subject",
    "email_sender": "Your Sender",
    "email_timestream": "1706213694",
    "email_content": "Your Content",
}

Text = Annotated[str, Meta(min_length=1)]
Digits = Annotated[str, Meta(pattern=f"^[0-9]{{1,{MAX_TIMESTREAM_DIGITS}}}$")]
Number = Annotated[int, Meta(ge=0, le=MAX_EXACT_NUMBER)]
MaxBytes = Annotated[int, Meta(description="With 413: the limit.")] | msgspec.UnsetType


class Email(msgspec.Struct):
    """An e-mail event. Further members are kept as they are posted; no two members of an object have one name."""

    email_subject: Text
    email_sender: Text
    email_timestream: Annotated[
        Digits | Number,
        Meta(description="Seconds since 1970, not ahead of the clock skew. 16103.0 and 1.6e4 are integers, too."),
    ]
    email_content: Text


class PostedEmail(msgspec.Struct):
    """What is posted. Further members are ignored."""

    data: Email
    token: (
        Annotated[
            str | None,
            Meta(
                description="One of the tokens. `Authorization: Bearer` may have it instead, and counts where both do."
            ),
        ]
        | msgspec.UnsetType
    ) = msgspec.UNSET


class Processed(msgspec.Struct):
    """The queue has confirmed the e-mail as durable."""

    message: str


class Refused(msgspec.Struct):
    """The e-mail was not taken."""

    error: str
    max_bytes: MaxBytes = msgspec.UNSET


class ProblemError(msgspec.Struct):
    """One thing wrong, and where: a JSON pointer into the posted body."""

    pointer: str
    detail: str


class Problem(msgspec.Struct):
    """RFC 9457, for a client that sends `Accept: application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    max_bytes: MaxBytes = msgspec.UNSET
    errors: list[ProblemError] | msgspec.UnsetType = msgspec.UNSET


def describe() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    kinds = (PostedEmail, Processed, Refused, Problem)
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    posted, processed, refused, problem = schemas
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Checkpoint",
            "version": VERSION,
            "description": "Takes e-mail events and keeps each one as exactly one object. "
            "Any other path is answered 404, and any other method 405 with the header Allow.",
        },
        "paths": {
            "/process_request": {
                "post": {
                    "operationId": "processRequest",
                    "tags": ["e-mails"],
                    "summary": "Queue an e-mail durably",
                    "description": "Safe to repeat: the same e-mail is kept once, however often it is sent.",
                    "security": [{}, {"bearer": []}],
                    "requestBody": {
                        "required": True,
                        "content": _json(posted, {"data": _EXAMPLE, "token": "foobar"}),
                    },
                    "responses": {
                        "200": {
                            "description": "Queued durably",
                            "headers": {
                                "X-Message-Id": {
                                    "description": "The e-mail's identity: SHA-256 of the bytes that are archived.",
                                    "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                                }
                            },
                            "content": _json(processed, {"message": "Request processed successfully"}),
                        },
                        **_refusals(refused, problem),
                    },
                }
            }
        },
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _refusals(refused: dict[str, Any], problem: dict[str, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for refusal in REFUSALS:
        response = responses.setdefault(
            str(refusal.status),
            {
                "description": HTTPStatus(refusal.status).phrase,
                "headers": {},
                "content": {
                    "application/json": {"schema": refused, "examples": {}},
                    PROBLEM_MEDIA_TYPE: {"schema": problem},
                },
            },
        )
        response["headers"] |= {name: {"schema": {"type": "string"}} for name in refusal.headers}
        if refusal.closes:
            response["headers"]["Connection"] = {
                "description": "With `close` the connection ends.",
                "schema": {"type": "string"},
            }
        response["content"]["application/json"]["examples"][refusal.error] = {
            "summary": refusal.detail,
            "value": {"error": refusal.error},
        }
    return responses


def _json(schema: dict[str, Any], example: object) -> dict[str, Any]:
    return {"application/json": {"schema": schema, "example": example}}
