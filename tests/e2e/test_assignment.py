"""The assignment's three calls, by the letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from e2e.marked import md5
from e2e.on_aws import BUCKET
from e2e.posting import post
from e2e.waiting import until

if TYPE_CHECKING:
    from e2e.on_aws import OnAWS
    from e2e.services import Services
    from e2e.worlds import World
    from emulator import Emulator

GOOD: Final = (
    b'{"data": {"email_subject": "Your Subject", "email_sender": "Your Sender", "email_timestream": "1706213694",'
    b' "email_content": "Your Content"}, "token": "foobar"}'
)
WRONG_TOKEN: Final = GOOD.replace(b'"foobar"', b'"notgood"')
WRONG_TIMESTAMP: Final = GOOD.replace(b"1706213694", b"170621369400")

NAME: Final = "sqs_message_1706213694.json"
CONTENT: Final = (
    b'{"email_subject": "Your Subject", "email_sender": "Your Sender", "email_timestream": "1706213694",'
    b' "email_content": "Your Content"}'
)


def test_the_assignments_three_calls_are_answered_and_archived_as_it_shows(world: World, services: Services) -> None:
    intake = services.intake()
    services.broker()

    good = post(intake.port, GOOD)
    wrong_token = post(intake.port, WRONG_TOKEN)
    wrong_timestamp = post(intake.port, WRONG_TIMESTAMP)

    assert (good.status, good.body) == (200, b'{"message": "Request processed successfully"}')
    assert (wrong_token.status, wrong_token.body) == (401, b'{"error": "Invalid token"}')
    assert (wrong_timestamp.status, wrong_timestamp.body) == (400, b'{"error": "Invalid date format or fields"}')
    until(lambda: world.objects() == {NAME: md5(CONTENT)}, "the archive holds the assignment's object and no other")
    assert world.read(NAME) == CONTENT
    assert len(CONTENT) == 131
    until(lambda: world.waiting() == 0, "the queue is empty")


@pytest.mark.parametrize("world", ["on_aws"], indirect=True)
def test_bucket_and_queue_look_as_in_the_assignment(on_aws: OnAWS, services: Services, emulator: Emulator) -> None:
    intake = services.intake()
    services.broker()

    post(intake.port, GOOD)
    until(lambda: on_aws.waiting() == 0, "the queue is empty")

    [listed] = emulator.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert (listed["Key"], listed["Size"]) == (NAME, 131)
    assert any(url.endswith("/my_sqs") for url in emulator.sqs.list_queues()["QueueUrls"])
    shown = on_aws.attributes()
    assert shown["QueueArn"].startswith("arn:aws:sqs:us-east-1:")
    assert shown["QueueArn"].endswith(":my_sqs")
    expected = {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "VisibilityTimeout": "30",
        "MaximumMessageSize": "262144",
        "MessageRetentionPeriod": "345600",
        "DelaySeconds": "0",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
    }
    assert {name: shown.get(name) for name in expected} == expected
