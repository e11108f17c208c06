"""What became of calls: what SQS confirmed, and a line per call."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final, TextIO

from chaos.aws.calls import S3, SEND, read_json
from conservation.history import Confirmation, identity

if TYPE_CHECKING:
    from chaos.aws.calls import Call
    from chaos.aws.http_messages import Answer

_SUCCESS: Final = 200


class Record:
    """log: a text file for a line of JSON per call; None: none is written.

    confirmations: of each message that SQS confirmed to a client.
    """

    def __init__(self, log: TextIO | None) -> None:
        self._log = log
        self.confirmations: list[Confirmation] = []

    def ended(self, call: Call, answer: Answer | None) -> None:
        """Take down what a client was answered; None: nothing."""
        now = time.monotonic()
        confirmed = _confirmed(call, answer) if answer else []
        self.confirmations += [Confirmation(each, call.asked_at, now) for each in confirmed]
        if self._log:
            line = {
                "asked_at": call.asked_at,
                "at": now,
                "program": call.program,
                "number": call.number,
                "operation": call.operation,
                "fault": call.fault,
                "status": answer and answer.status,
                "of": _of(call),
                "confirmed": confirmed,
            }
            self._log.write(f"{json.dumps(line)}\n")


def _confirmed(call: Call, answer: Answer) -> list[str]:
    """The identities of the messages that an answer says to be durable."""
    if call.operation != SEND or answer.status != _SUCCESS:
        return []
    bodies = _bodies(call)
    return [bodies[each["Id"]] for each in read_json(answer).get("Successful", [])]


def _bodies(call: Call) -> dict[str, str]:
    return {entry["Id"]: identity(entry["MessageBody"].encode()) for entry in call.read()["Entries"]}


def _of(call: Call) -> list[str]:
    """The messages that are sent, or the object, that a call is about."""
    if call.service == S3:
        return [call.key]
    return list(_bodies(call).values()) if call.operation == SEND else []
