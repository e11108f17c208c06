"""The message attribute that carries the traceparent of the request which a message came with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import TRACEPARENT_CHARACTERS

if TYPE_CHECKING:
    from types_aiobotocore_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

TRACEPARENT: Final = "traceparent"
_TYPE: Final = "String"
# An attribute's name, type and value count as part of the message's size.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
TRACEPARENT_BYTES: Final = len(TRACEPARENT) + len(_TYPE) + TRACEPARENT_CHARACTERS


def traceparent_attribute(traceparent: str) -> dict[str, MessageAttributeValueTypeDef]:
    """As a call has it."""
    return {TRACEPARENT: {"DataType": _TYPE, "StringValue": traceparent}}


def traceparent_of(received: MessageTypeDef) -> str | None:
    """A received message's, if it has one of the right length, in ASCII: any sender to the queue may attach anything.

    Where it is attached again, to a dead letter, it must take no more bytes than TRACEPARENT_BYTES.
    """
    attributes = received.get("MessageAttributes", {})
    value = attributes[TRACEPARENT].get("StringValue", "") if TRACEPARENT in attributes else ""
    return value if len(value) == TRACEPARENT_CHARACTERS and value.isascii() else None
