"""AWS as the emulator shows it, with the assignment's queue, bucket and parameters."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from e2e.marked import MARK
from e2e.posting import TOKEN
from e2e.switch import Switch
from e2e.worlds import DeadLetter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from types_boto3_sqs.literals import QueueAttributeNameType

    from emulator import Emulator

QUEUE: Final = "my_sqs"
BUCKET: Final = "messages-bucket-checkpoint-assignment"
# The assignment's, as far as they can be set.
ATTRIBUTES: Final[dict[QueueAttributeNameType, str]] = {
    "VisibilityTimeout": "30",
    "MaximumMessageSize": "262144",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
}
_MAX_RECEIVES: Final = 10


class OnAWS:
    """A World of which the services know the endpoint, and three parameters' names."""

    is_searchable = False

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        parts = urlsplit(emulator.endpoint_url)
        self._switch = Switch((str(parts.hostname), int(parts.port or 0)))
        self._dead_letters: list[DeadLetter] = []
        self.queue_url = ""
        self.environment = {
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": emulator.endpoint_url,
            "AWS_ACCESS_KEY_ID": f"{MARK} key",
            "AWS_SECRET_ACCESS_KEY": f"{MARK} secret",
            "QUEUE_URL": "ssm:/checkpoint/sqs_queue_url",
            "ARCHIVE_URL": "ssm:/checkpoint/archive_url",
            "TOKEN": "ssm:/checkpoint/token",
        }

    @property
    def cuttable(self) -> Mapping[str, str]:
        return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._switch.port}"}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Make queues, bucket and parameters, and remove them after the body."""
        sqs, s3 = self._emulator.sqs, self._emulator.s3
        self._dead_letter_url = sqs.create_queue(QueueName=f"{QUEUE}_dead")["QueueUrl"]
        self.queue_url = sqs.create_queue(QueueName=QUEUE, Attributes=ATTRIBUTES)["QueueUrl"]
        self.limit_receives(_MAX_RECEIVES)
        s3.create_bucket(Bucket=BUCKET)
        self.set_parameter("/checkpoint/sqs_queue_url", self.queue_url)
        self.set_parameter("/checkpoint/archive_url", f"s3://{BUCKET}")
        self.set_token(TOKEN)
        try:
            with self._switch.running():
                yield
        finally:
            for url in (self.queue_url, self._dead_letter_url):
                sqs.delete_queue(QueueUrl=url)
            self._delete_bucket()

    def set_parameter(self, name: str, value: str) -> None:
        self._emulator.ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def set_token(self, value: str) -> None:
        self._emulator.ssm.put_parameter(Name="/checkpoint/token", Value=value, Type="SecureString", Overwrite=True)

    def attributes(self) -> dict[str, str]:
        """What `aws sqs get-queue-attributes --attribute-names All` shows."""
        reply = self._emulator.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["All"])
        return dict(reply["Attributes"].items())

    def limit_receives(self, count: int) -> None:
        sqs = self._emulator.sqs
        arn = sqs.get_queue_attributes(QueueUrl=self._dead_letter_url, AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": arn["Attributes"]["QueueArn"], "maxReceiveCount": count}
        sqs.set_queue_attributes(QueueUrl=self.queue_url, Attributes={"RedrivePolicy": json.dumps(policy)})

    def put(self, body: bytes) -> None:
        self._emulator.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body.decode())

    def waiting(self) -> int:
        attributes = self.attributes()
        return sum(int(value) for name, value in attributes.items() if name.startswith("ApproximateNumberOfMessages"))

    def dead_letters(self) -> list[DeadLetter]:
        sqs, url = self._emulator.sqs, self._dead_letter_url
        while messages := sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", []):
            for message in messages:
                attributes = message.get("MessageAttributes")
                reason = attributes["reason"]["StringValue"] if attributes else ""
                self._dead_letters.append(DeadLetter(message["Body"].encode(), reason))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return self._dead_letters

    def bury(self, body: bytes, reason: str) -> None:
        self._emulator.sqs.send_message(
            QueueUrl=self._dead_letter_url,
            MessageBody=body.decode(),
            MessageAttributes={"reason": {"DataType": "String", "StringValue": reason}},
        )

    def objects(self) -> dict[str, str]:
        pages = self._emulator.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {each["Key"]: each["ETag"].strip('"') for page in pages for each in page.get("Contents", [])}

    def read(self, name: str) -> bytes:
        return self._emulator.s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()

    def plant(self, name: str, content: bytes) -> None:
        self._emulator.s3.put_object(Bucket=BUCKET, Key=name, Body=content)

    def remove(self, name: str) -> None:
        self._emulator.s3.delete_object(Bucket=BUCKET, Key=name)

    @contextmanager
    def archive_away(self) -> Iterator[None]:
        objects = {name: self.read(name) for name in self.objects()}
        self._delete_bucket()
        try:
            yield
        finally:
            self._emulator.s3.create_bucket(Bucket=BUCKET)
            for name, content in objects.items():
                self._emulator.s3.put_object(Bucket=BUCKET, Key=name, Body=content)

    @contextmanager
    def queue_away(self) -> Iterator[None]:
        self._switch.off()
        try:
            yield
        finally:
            self._switch.on()

    def _delete_bucket(self) -> None:
        names = list(self.objects())
        for first in range(0, len(names), 1000):
            some = [{"Key": name} for name in names[first : first + 1000]]
            self._emulator.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": some})  # type: ignore[typeddict-item]
        self._emulator.s3.delete_bucket(Bucket=BUCKET)
