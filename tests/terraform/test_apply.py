"""terraform/ is applied to an emulator, used by both services, and destroyed.

Only `make test-terraform-apply` runs this, because it is slow: AWS's provider waits half a minute for each of several
resources to settle.

The emulator runs no cluster and enforces no policy, so network, cluster and workloads are left out: queues, bucket,
parameters, alarms and roles remain. It does not return all that it was given for alarms and for a topic, so the second
plan leaves those out. It cannot remove a RedriveAllowPolicy, so that one disappears with its queue.
"""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from e2e.on_aws import ATTRIBUTES, BUCKET, QUEUE
from e2e.posting import post
from e2e.services import Services
from e2e.test_assignment import CONTENT, GOOD, NAME, WRONG_TIMESTAMP, WRONG_TOKEN
from e2e.waiting import until
from emulator import REGION
from terraform import prepared
from terraform.prepared import Terraform
from terraform.recorder import Call, recording
from terraform.source import CONFIGURATION, WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulator import Emulator

pytestmark = pytest.mark.applies_terraform

_log = logging.getLogger(__name__)

_ACCOUNT: Final = "000000000000"
_LEFT_OUT: Final = [
    *WORKLOADS,
    *(CONFIGURATION / name for name in ("eks-cluster.tf", "load-balancer-alarm.tf", "outputs.tf", "vpc.tf")),
]
_FOR_THE_EMULATOR: Final = """
provider "aws" {
  s3_use_path_style = true
}
"""
_NOT_RETURNED: Final = {
    "aws_cloudwatch_metric_alarm.dead_letters",
    "aws_cloudwatch_metric_alarm.in_flight",
    "aws_cloudwatch_metric_alarm.oldest_message",
    "aws_sns_topic.alarms",
    "aws_sns_topic_policy.alarms",  # planned only together with its topic
}
_NOT_REMOVED: Final = "aws_sqs_queue_redrive_allow_policy.dead_letters"
# Granted, but not called in this short run: the broker changes visibility only for a message that takes longer than
# half its visibility timeout, or that it releases when it stops.
_NOT_CALLED_HERE: Final = {
    "processing_requests": set[tuple[str, str]](),
    "message_broker": {("sqs:ChangeMessageVisibility", f"arn:aws:sqs:{REGION}:{_ACCOUNT}:{QUEUE}")},
}
_ROLES: Final = {
    "processing_requests": ("checkpoint-processingrequests", "intake"),
    "message_broker": ("checkpoint-messagesbroker", "broker"),
}


@pytest.fixture(scope="module")
def applied(
    terraform_is_here: None,  # noqa: ARG001  asked before the emulator is started
    emulator: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Terraform]:
    """The applied configuration. At the end it is destroyed, and nothing may be left."""
    directory = tmp_path_factory.mktemp("applied")
    prepared.copy(directory, leave_out=_LEFT_OUT)
    (directory / "emulator_override.tf").write_text(_FOR_THE_EMULATOR)
    terraform = Terraform(
        directory,
        emulator.environment
        | {
            "TF_VAR_token": "foobar",
            "TF_VAR_image_namespace": "nobody",
            "TF_VAR_intake_image_tag": "1.0.7",
            "TF_VAR_broker_image_tag": "1.0.5",
            "TF_VAR_admin_arns": '["arn:aws:iam::000000000000:root"]',
            "TF_VAR_bucket_force_destroy": "true",
        },
    )
    terraform.init()
    _log.info("applying all but %s", ", ".join(file.name for file in _LEFT_OUT))
    terraform.run("apply", "-auto-approve", "-no-color")
    _log.info("applied: %s", " ".join(terraform.run("state", "list").stdout.split()))
    yield terraform
    terraform.run("state", "rm", _NOT_REMOVED)
    terraform.run("destroy", "-auto-approve", "-no-color")
    assert not terraform.run("state", "list").stdout
    assert not emulator.sqs.list_queues().get("QueueUrls")
    assert BUCKET not in [bucket["Name"] for bucket in emulator.s3.list_buckets()["Buckets"]]
    _log.info("destroyed: no queue, no bucket, nothing in the state")


@dataclass(frozen=True)
class Used:
    """What both services did: answers, objects, dead letters, and the calls of each service."""

    answers: list[tuple[int, bytes]]
    objects: dict[str, bytes]
    dead_letters: list[tuple[str, str]]
    calls: Mapping[str, set[Call]]


@pytest.fixture(scope="module")
def used(applied: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    """Both services run with the settings that their deployments give them, each behind a recorder of its own."""
    _log.info("starting both services on what is in %s", applied.directory)
    credentials = {
        name: value
        for name, value in emulator.environment.items()
        if name.startswith(("AWS_ACCESS_KEY", "AWS_SECRET", "AWS_REGION"))
    }
    url = emulator.sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    dead_letters = emulator.sqs.get_queue_url(QueueName=f"{QUEUE}_dead_letters")["QueueUrl"]
    services = Services(credentials, tmp_path_factory.mktemp("services"))
    with ExitStack() as stack:
        stack.callback(services.kill_all)
        recorded = {
            program: stack.enter_context(recording(emulator.endpoint_url, account=_ACCOUNT, region=REGION))
            for program in _ROLES
        }
        queue = "ssm:/checkpoint/sqs_queue_url"
        intake = services.intake(
            AWS_ENDPOINT_URL=recorded["processing_requests"][0], QUEUE_URL=queue, TOKEN="ssm:/checkpoint/token"
        )
        broker = services.broker(
            AWS_ENDPOINT_URL=recorded["message_broker"][0], QUEUE_URL=queue, ARCHIVE_URL="ssm:/checkpoint/archive_url"
        )
        # The same e-mail twice, which has to be compared, and a message that is no e-mail, which has to be
        # dead-lettered.
        answers = [post(intake.port, each) for each in (GOOD, GOOD, WRONG_TOKEN, WRONG_TIMESTAMP)]
        emulator.sqs.send_message(QueueUrl=url, MessageBody="no e-mail")
        until(lambda: _waiting(emulator, dead_letters) == 1, "the bad message is dead-lettered")
        until(lambda: _waiting(emulator, url) == 0, "the queue is empty")
        assert (intake.terminate(), broker.terminate()) == (0, 0)
        calls = {program: set(seen) for program, (_, seen) in recorded.items()}
        listed = emulator.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        yield Used(
            answers=[(answer.status, answer.body) for answer in answers],
            objects={
                each["Key"]: emulator.s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed
            },
            dead_letters=_take(emulator, dead_letters),
            calls=calls,
        )


def test_a_second_plan_is_empty(applied: Terraform) -> None:
    managed = {each for each in applied.run("state", "list").stdout.split() if not each.startswith("data.")}
    assert managed > _NOT_RETURNED
    targets = [f"-target={each}" for each in sorted(managed - _NOT_RETURNED)]

    applied.run("plan", "-detailed-exitcode", "-no-color", *targets)
    _log.info("a second plan of %d resources is empty", len(targets))


@pytest.mark.usefixtures("applied")
def test_the_queue_shows_the_attributes_of_the_assignment(emulator: Emulator) -> None:
    url = emulator.sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    shown = emulator.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    assert {name: shown[name] for name in ATTRIBUTES} == ATTRIBUTES


def test_the_token_is_in_ssm_and_not_in_the_state(applied: Terraform, emulator: Emulator) -> None:
    [parameter] = emulator.ssm.get_parameters(Names=["/checkpoint/token"], WithDecryption=True)["Parameters"]

    assert (parameter["Type"], parameter["Value"]) == ("SecureString", "foobar")
    assert "foobar" not in (applied.directory / "terraform.tfstate").read_text()


def test_the_calls_of_the_assignment_are_answered_and_the_object_is_there(used: Used) -> None:
    assert used.answers == [
        (200, b'{"message": "Request processed successfully"}'),
        (200, b'{"message": "Request processed successfully"}'),
        (401, b'{"error": "Invalid token"}'),
        (400, b'{"error": "Invalid date format or fields"}'),
    ]
    assert used.objects == {NAME: CONTENT}
    assert len(CONTENT) == 131
    _log.info("the calls of the assignment were answered; the archive holds %s with 131 bytes", NAME)


def test_a_bad_message_is_in_the_dead_letter_queue_with_its_reason(used: Used) -> None:
    [(body, reason)] = used.dead_letters

    assert body == "no e-mail"
    assert reason


@pytest.mark.parametrize("program", _ROLES)
def test_every_call_of_a_service_is_granted_to_its_role_and_nothing_else_is(
    program: str, used: Used, emulator: Emulator
) -> None:
    granted = _granted(emulator, *_ROLES[program])
    made = {(call.action, call.resource) for call in used.calls[program]}
    _log.info("%s called %s", program, sorted(made))

    assert {call for call in made if not _allows(granted, *call)} == set()
    unused = {
        (action, pattern)
        for action, pattern in granted
        if not any(_allows({(action, pattern)}, *call) for call in made)
    }
    assert unused == _NOT_CALLED_HERE[program]


def test_every_put_of_an_object_is_create_only(used: Used) -> None:
    puts = [call for call in used.calls["message_broker"] if call.action == "s3:PutObject"]

    assert puts
    assert all(call.creates_only for call in puts)


def _granted(emulator: Emulator, role: str, policy: str) -> set[tuple[str, str]]:
    """The pairs of action and resource that the applied policy grants."""
    iam = boto3.client(
        "iam",
        endpoint_url=emulator.endpoint_url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    document: Any = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    statements = (json.loads(document) if isinstance(document, str) else document)["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    return {
        (action, resource)
        for statement in statements
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def _allows(granted: set[tuple[str, str]], action: str, resource: str) -> bool:
    return any(action == each and fnmatchcase(resource, pattern) for each, pattern in granted)


def _take(emulator: Emulator, url: str) -> list[tuple[str, str]]:
    received = emulator.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", [])
    return [(each["Body"], each["MessageAttributes"]["reason"]["StringValue"]) for each in received]


def _waiting(emulator: Emulator, url: str) -> int:
    shown = emulator.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(int(value) for name, value in shown.items() if name.startswith("ApproximateNumberOfMessages"))
