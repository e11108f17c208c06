"""What SQS may do with messages: batches that fail in part, messages twice, late and out of order, expired receipts.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from chaos.aws.calls import BATCHES, CHANGE_VISIBILITY, DELETE, RECEIVE, read_json, with_json
from chaos.aws.fault import CallFault

if TYPE_CHECKING:
    from chaos.aws.calls import Call
    from chaos.aws.http_messages import Answer
    from chaos.aws.proxy import Proxy

_MOST_PER_RECEIVE: Final = 10
_MOST_COPIES: Final = 200
_LONGEST_PAUSE_SECONDS: Final = 1.0


def message_faults(proxy: Proxy) -> list[CallFault]:
    """One of each kind."""
    return [
        CallFault("partial_failure", proxy, BATCHES, _fail_some, shares=(0.3, 0.6)),
        CallFault("partial_failure_after_the_effect", proxy, BATCHES, _fail_some_after_the_effect, shares=(0.3, 0.6)),
        CallFault("expired_receipts", proxy, frozenset({DELETE, CHANGE_VISIBILITY}), _expire_some, shares=(0.3, 0.6)),
        CallFault("messages_twice", proxy, frozenset({RECEIVE}), Copies().deliver_twice, shares=(0.5,)),
        CallFault("messages_late", proxy, frozenset({RECEIVE}), _deliver_late, shares=(0.3,)),
        CallFault("messages_out_of_order", proxy, frozenset({RECEIVE}), _shuffle, shares=(0.7,)),
    ]


def _some(fault: CallFault, entries: list[Any]) -> set[str]:
    """The Ids of at least one of the entries, and of not all where there are several."""
    return {entry["Id"] for entry in fault.random.sample(entries, fault.random.randint(1, max(1, len(entries) - 1)))}


def _failed(entry: str, code: str, *, is_senders: bool) -> dict[str, object]:
    return {"Id": entry, "Code": code, "Message": code, "SenderFault": is_senders}


async def _without(call: Call, entries: list[Any], failed: list[dict[str, object]]) -> Answer:
    """Let only some entries take effect, and say of the rest that they failed."""
    names = {each["Id"] for each in failed}
    kept = [entry for entry in entries if entry["Id"] not in names]
    if kept:
        answer = await call.forward_as(call.read() | {"Entries": kept})
    else:
        answer = with_json(await call.forward_as({"QueueUrl": call.read()["QueueUrl"], "Entries": []}), {})
    said = read_json(answer)
    return with_json(answer, {"Successful": said.get("Successful", []), "Failed": [*said.get("Failed", []), *failed]})


async def _fail_some(fault: CallFault, call: Call) -> Answer:
    entries = call.read()["Entries"]
    is_senders = fault.random.random() < 0.3
    code = "InvalidParameterValue" if is_senders else "InternalError"
    failed = [_failed(each, code, is_senders=is_senders) for each in sorted(_some(fault, entries))]
    return await _without(call, entries, failed)


async def _fail_some_after_the_effect(fault: CallFault, call: Call) -> Answer:
    answer = await call.forward()
    said = read_json(answer)
    successful = said.get("Successful", [])
    if not successful:
        fault.spare()
        return answer
    chosen = _some(fault, successful)
    failed = [_failed(each, "InternalError", is_senders=False) for each in sorted(chosen)]
    return with_json(
        answer,
        {
            "Successful": [each for each in successful if each["Id"] not in chosen],
            "Failed": [*said.get("Failed", []), *failed],
        },
    )


async def _expire_some(fault: CallFault, call: Call) -> Answer:
    """As of receipts of an earlier receive; a visibility timeout that is over is told in words of its own.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
    """
    entries = call.read()["Entries"]
    codes = ["ReceiptHandleIsInvalid"]
    if call.operation == CHANGE_VISIBILITY:
        codes.append("AWS.SimpleQueueService.MessageNotInflight")
    failed = [_failed(each, fault.random.choice(codes), is_senders=True) for each in sorted(_some(fault, entries))]
    return await _without(call, entries, failed)


class Copies:
    """Messages to deliver once more, each with a receipt that is stale."""

    def __init__(self) -> None:
        self._kept: list[dict[str, Any]] = []
        self._number = count()

    async def deliver_twice(self, fault: CallFault, call: Call) -> Answer:
        """Add copies of messages that were received before, and keep copies of those that are received now.

        Where there is a backlog each receive would be full of new messages: so fewer of them are asked for.
        """
        asked = min(_MOST_PER_RECEIVE, call.read().get("MaxNumberOfMessages", 1))
        wanted = min(len(self._kept), asked // 2)
        answer = await call.forward_as(call.read() | {"MaxNumberOfMessages": asked - wanted})
        said = read_json(answer)
        messages = said.get("Messages", [])
        fault.random.shuffle(self._kept)
        room = asked - len(messages)
        added, self._kept = self._kept[:room], self._kept[room:]
        copies = [message | {"ReceiptHandle": f"stale-{next(self._number)}"} for message in messages]
        self._kept = [*self._kept, *copies][-_MOST_COPIES:]
        if not added:
            fault.spare()
            return answer
        return with_json(answer, {"Messages": [*messages, *added]})


async def _deliver_late(fault: CallFault, call: Call) -> Answer:
    """After the visibility timeout of its messages."""
    answer = await call.forward()
    if not answer.body or not read_json(answer).get("Messages") or not call.may_lose(answer):
        fault.spare()
        return answer
    await asyncio.sleep(call.read()["VisibilityTimeout"] + fault.random.uniform(0, _LONGEST_PAUSE_SECONDS))
    return answer


async def _shuffle(fault: CallFault, call: Call) -> Answer:
    """Within a receive, and by a pause among receives."""
    answer = await call.forward()
    messages = read_json(answer).get("Messages", [])
    if not messages:
        fault.spare()
        return answer
    await asyncio.sleep(fault.random.uniform(0, _LONGEST_PAUSE_SECONDS))
    return with_json(answer, {"Messages": fault.random.sample(messages, len(messages))})
