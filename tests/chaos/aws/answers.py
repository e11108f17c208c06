"""Answers that AWS gives to a call that fails, and what others answer in its place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from chaos.aws.calls import HEAD, S3
from chaos.aws.http_messages import Answer

if TYPE_CHECKING:
    from chaos.aws.calls import Call


class Refusal(NamedTuple):
    """A status and a code. query_code: the code in the header for SDKs that know SQS's older protocol."""

    status: int
    code: str
    query_code: str = ""


# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html#API_SendMessageBatch_Errors
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
INTERNAL_ERROR: Final = {"sqs": Refusal(500, "InternalFailure"), S3: Refusal(500, "InternalError")}
SLOW_DOWN: Final = {"sqs": Refusal(503, "ServiceUnavailable"), S3: Refusal(503, "SlowDown")}
EXPIRED_TOKEN: Final = {"sqs": Refusal(403, "ExpiredTokenException", "ExpiredToken"), S3: Refusal(400, "ExpiredToken")}
THROTTLING: Final = (Refusal(400, "ThrottlingException"), Refusal(403, "RequestThrottled"))
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html#conditional-error-response
CONFLICT: Final = Refusal(409, "ConditionalRequestConflict")
TAKEN: Final = Refusal(412, "PreconditionFailed")

_SERVERS_FAULT: Final = 500
_PAGE: Final = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to go on.</body></html>"


def refused(call: Call, refusal: Refusal) -> Answer:
    """The answer of the call's service."""
    identifier = {"x-amzn-requestid": "00000000-0000-0000-0000-000000000000"}
    if call.service == S3:
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{refusal.code}</Code></Error>'
        headers = {**identifier, "content-type": "application/xml"}
        if call.operation == HEAD:
            return Answer(refusal.status, b"", headers | {"content-length": "0"}, has_body=False)
        return Answer(refusal.status, text.encode(), headers)
    said = {"__type": f"com.amazonaws.sqs#{refusal.code}", "message": refusal.code}
    at_fault = "Sender" if refusal.status < _SERVERS_FAULT else "Receiver"
    headers = {
        **identifier,
        "content-type": "application/x-amz-json-1.0",
        "x-amzn-query-error": f"{refusal.query_code or refusal.code};{at_fault}",
    }
    return Answer(refusal.status, json.dumps(said).encode(), headers)


def page(call: Call, *, with_etag: bool) -> Answer:
    """200 with HTML, as a captive portal answers anything; many pages have an ETag."""
    headers = {"content-type": "text/html; charset=utf-8"}
    if with_etag:
        headers |= {
            "etag": '"e6a5b1d2c3f4a5b6c7d8e9f0a1b2c3d4"',
            "last-modified": "Wed, 21 Oct 2015 07:28:00 GMT",
        }
    if call.operation == HEAD:
        return Answer(200, b"", headers | {"content-length": str(len(_PAGE))}, has_body=False)
    return Answer(200, _PAGE, headers)
