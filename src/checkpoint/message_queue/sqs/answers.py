"""Whether an answer with a status of success is one of SQS, and not of something on the way to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from checkpoint.message_queue.port import QueueUnavailableError

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

# https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#protocol-behaviors
_CONTENT_TYPE: Final = "application/x-amz-json-1.0"
# A report has SQS answer an empty long poll so, with no body: https://github.com/async-aws/aws/pull/1708. All other
# operations that are called here have an answer with members, and one that is empty confirms nothing.
_MAY_BE_EMPTY: Final = "ReceiveMessage"
_MULTIPLE_CHOICES: Final = 300  # from here on the SDK itself sees a call that failed

_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def refuse_untrue_answers(client: SQSClient) -> None:
    """Let each call of a client raise QueueUnavailableError where it is answered 200 by something that is not SQS.

    A captive portal or a proxy with a wrong setting answers 200 with HTML to everything. The SDK reads that, and half a
    body too, as an answer without members: as a queue without messages, for one.
    """
    client.meta.events.register("before-parse.sqs", _check)


def _check(*, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    if response_dict["status_code"] >= _MULTIPLE_CHOICES:
        return
    content_type = response_dict["headers"].get("Content-Type", "")
    if content_type.partition(";")[0].strip().lower() != _CONTENT_TYPE:
        raise QueueUnavailableError(f"SQS {operation_model.name}: 200 without the content type that SQS has")
    if operation_model.name == _MAY_BE_EMPTY and response_dict["body"] == b"":
        return
    if not _is_object(response_dict["body"]):
        raise QueueUnavailableError(f"SQS {operation_model.name}: 200 with a body that is no JSON object")


def _is_object(body: bytes) -> bool:
    try:
        _OBJECT.decode(body)
    except msgspec.MsgspecError:
        try:  # the SDK takes more than msgspec does, a lone surrogate for one
            return isinstance(json.loads(body), dict)
        except ValueError:
            return False
    return True
