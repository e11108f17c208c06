"""The calls of SQS's API that the stub knows, as its JSON protocol has them.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Annotated, Any, Final, get_args

from msgspec import UNSET, DecodeError, Meta, Struct, UnsetType, ValidationError, field
from msgspec.json import Decoder

_Visibility = Annotated[int, Meta(ge=0, le=43_200)]  # seconds
_BATCH: Final = 10  # entries


class RefusedError(Exception):
    """A call that SQS refuses. query_code: the code by which SDKs name the error, where it is another."""

    def __init__(self, code: str, query_code: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.query_code = query_code or code


class Call(Struct, rename="pascal"):
    """What each call has."""

    queue_url: str


class ReceiveMessage(Call, rename="pascal"):
    """Asks for messages."""

    max_number_of_messages: Annotated[int, Meta(ge=1, le=_BATCH)] = 1
    visibility_timeout: _Visibility = 30
    wait_time_seconds: Annotated[int, Meta(ge=0, le=20)] = 0
    message_attribute_names: list[str] = []


class DeleteEntry(Struct, rename="pascal"):
    """A message to delete."""

    id: str
    receipt_handle: str


class VisibilityEntry(DeleteEntry, rename="pascal"):
    """A message to hide, or with 0 to release."""

    visibility_timeout: _Visibility


class SendEntry(Struct, rename="pascal"):
    """A message to send."""

    id: str
    message_body: str
    message_attributes: dict[str, Any] = {}


class Batch(Call, rename="pascal"):
    """Several entries, each with an Id of its own."""

    entries: list[Any]

    def __post_init__(self) -> None:
        if not self.entries:
            raise RefusedError("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest")
        if len(self.entries) > _BATCH:
            raise RefusedError("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
        if len({entry.id for entry in self.entries}) < len(self.entries):
            raise RefusedError("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")


class DeleteMessageBatch(Batch, rename="pascal"):
    """Deletes messages."""

    entries: list[DeleteEntry]


class ChangeMessageVisibilityBatch(Batch, rename="pascal"):
    """Hides or releases messages."""

    entries: list[VisibilityEntry]


class SendMessageBatch(Batch, rename="pascal"):
    """Sends messages."""

    entries: list[SendEntry]


class SendMessage(Call, rename="pascal"):
    """Sends a message."""

    message_body: str
    message_attributes: dict[str, Any] = {}


class GetQueueAttributes(Call, rename="pascal"):
    """Asks what a queue is like."""

    attribute_names: list[str] = []


class Received(Struct, rename="pascal"):
    """A message as a receiver gets it."""

    message_id: str
    receipt_handle: str
    md5_of_body: str = field(name="MD5OfBody")
    body: str
    attributes: dict[str, str]
    message_attributes: dict[str, Any] | UnsetType = UNSET


class Sent(Struct, rename="pascal"):
    """What is said of a message that was sent."""

    message_id: str
    md5_of_message_body: str = field(name="MD5OfMessageBody")
    id: str | UnsetType = UNSET


class Refused(Struct, rename="pascal"):
    """What is said of an entry that was refused."""

    id: str
    code: str
    message: str
    sender_fault: bool = True


class Outcomes(Struct, rename="pascal"):
    """The reply to a batch."""

    successful: list[Any]
    failed: list[Refused]


AnyCall = (
    ReceiveMessage
    | DeleteMessageBatch
    | ChangeMessageVisibilityBatch
    | SendMessage
    | SendMessageBatch
    | GetQueueAttributes
)

_DECODERS: Final[dict[str, Decoder[AnyCall]]] = {each.__name__: Decoder(each) for each in get_args(AnyCall)}


def read(operation: str, body: bytes) -> AnyCall:
    """A call by its name and its JSON. Raises RefusedError."""
    decoder = _DECODERS.get(operation)
    if decoder is None:
        raise RefusedError("UnknownOperationException")
    try:
        return decoder.decode(body)
    except ValidationError:
        raise RefusedError("InvalidParameterValue") from None
    except DecodeError:
        raise RefusedError("SerializationException") from None
