"""AWS: an emulator of SQS and S3, and the proxy before it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

from chaos.aws.call_faults import call_faults
from chaos.aws.calls import S3, SQS
from chaos.aws.message_faults import message_faults
from chaos.aws.object_faults import object_faults
from chaos.aws.outages import Kill, LongOutage, Refused
from chaos.aws.proxy import Proxy
from conservation.history import identity
from emulator_process import REGION, running_emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from types_boto3_sqs.literals import QueueAttributeNameType

    from chaos.world import Fault
    from conservation.history import Confirmation
    from emulator_process import Emulator

MAX_RECEIVES: Final = 12
VISIBILITY_SECONDS: Final = 3
_MARGIN_SECONDS: Final = 5
_HIDDEN_SECONDS: Final = 43_200


@contextmanager
def open_world(directory: Path) -> Iterator[AWS]:
    """A fresh one; `calls.log` in the directory has each call that a process made, and what happened to it."""
    below = directory / "emulator"
    below.mkdir(parents=True)
    with running_emulator(below) as emulator, (directory / "calls.log").open("w") as log:
        proxy = Proxy(emulator.endpoint_url, log=log)
        with proxy.running():
            yield AWS(emulator, proxy)


class AWS:
    """A World.

    kill: kills a process by program and number, and says whether it did; to be set by who starts them.
    """

    name = "aws"

    def __init__(self, emulator: Emulator, proxy: Proxy, *, queue: str = "queue", bucket: str = "archive") -> None:
        self._queue = queue
        self._bucket = bucket
        self._emulator = emulator
        self._proxy = proxy
        self._lock = Lock()
        self._dead_letters: list[str] = []
        self._digests: dict[str, str] = {}
        self.kill: Callable[[str, int], bool] | None = None
        self._dead_url, self._queue_url = self._make_queues()
        emulator.s3.create_bucket(Bucket=self._bucket)
        self.faults: list[Fault] = [
            *(Refused(proxy, service) for service in (SQS, S3)),
            *call_faults(proxy),
            *message_faults(proxy),
            *object_faults(proxy),
            LongOutage(proxy, seconds=MAX_RECEIVES * VISIBILITY_SECONDS + _MARGIN_SECONDS),
            Kill(proxy, self._kill),
        ]

    def environment(self, program: str, number: int) -> Mapping[str, str]:
        """As World says: ports of its own at the proxy."""
        sqs_url = self._proxy.open(program, number, SQS)
        return {
            "ARCHIVE_URL": f"s3://{self._bucket}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_S3": self._proxy.open(program, number, S3),
            "AWS_ENDPOINT_URL_SQS": sqs_url,
            "AWS_REGION": REGION,
            "AWS_SECRET_ACCESS_KEY": "test",
            "QUEUE_URL": f"{sqs_url}/000000000000/{self._queue}",
        }

    def put(self, body: bytes) -> None:
        """As World says."""
        with self._lock:
            self._emulator.sqs.send_message(QueueUrl=self._queue_url, MessageBody=body.decode())

    def waiting(self) -> int:
        """As World says."""
        attributes = self._attributes()
        return (
            int(attributes["ApproximateNumberOfMessages"])
            + int(attributes["ApproximateNumberOfMessagesNotVisible"])
            + int(attributes["ApproximateNumberOfMessagesDelayed"])
        )

    def hidden(self) -> int:
        """Messages that somebody has received, and not deleted yet."""
        return int(self._attributes()["ApproximateNumberOfMessagesNotVisible"])

    def dead_letters(self) -> list[str]:
        """As World says; what is read once is remembered, and hidden."""
        with self._lock:
            while messages := self._emulator.sqs.receive_message(
                QueueUrl=self._dead_url, MaxNumberOfMessages=10, VisibilityTimeout=_HIDDEN_SECONDS
            ).get("Messages"):
                self._dead_letters += [identity(message["Body"].encode()) for message in messages]
            return list(self._dead_letters)

    def objects(self) -> dict[str, str]:
        """As World says; an object is read again where its ETag, which is the MD5 here, is another."""
        with self._lock:
            found = {}
            for page in self._emulator.s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket):
                for listed in page.get("Contents", []):
                    state = f"{listed['Key']} {listed['ETag']}"
                    if state not in self._digests:
                        read = self._emulator.s3.get_object(Bucket=self._bucket, Key=listed["Key"])["Body"].read()
                        self._digests[state] = identity(read)
                    found[listed["Key"]] = self._digests[state]
            return found

    def confirmations(self) -> list[Confirmation]:
        """As World says: those that the intake was sent, and had not given up."""
        return list(self._proxy.confirmations)

    def _attributes(self) -> Mapping[QueueAttributeNameType, str]:
        with self._lock:
            reply = self._emulator.sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["All"])
        return reply["Attributes"]

    def _kill(self, program: str, number: int) -> bool:
        return self.kill is not None and self.kill(program, number)

    def _make_queues(self) -> tuple[str, str]:
        sqs = self._emulator.sqs
        dead_url = sqs.create_queue(QueueName=f"{self._queue}_dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES})
        queue_url = sqs.create_queue(QueueName=self._queue, Attributes={"RedrivePolicy": policy})["QueueUrl"]
        return dead_url, queue_url
