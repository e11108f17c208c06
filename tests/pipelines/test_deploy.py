"""Deploy: exactly the tag that was asked for, waited for and tried."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from checkpoint.email import Email
from pipelines.deploying import IMAGE, JOB, STATUS, WELL, changes, context
from pipelines.runner import run_job
from pipelines.workflows import REPOSITORY, WORKFLOWS

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.intake import Intake


def test_it_sets_exactly_the_image_and_the_tag_waits_for_it_and_posts_an_email(tmp_path: Path, intake: Intake) -> None:
    run = run_job(JOB, context(intake), WELL, tmp_path)
    assert run.failed == [], run.log
    assert changes(run) == [f"kubectl set image deployment/messagesbroker messagesbroker={IMAGE}"]
    assert run.calls.index(STATUS) == run.calls.index(changes(run)[0]) + 1
    assert len(intake.posted) == 1


def test_it_speaks_to_the_cluster_and_the_namespace_of_the_settings(tmp_path: Path, intake: Intake) -> None:
    settings = {"vars__CLUSTER_NAME": "another", "vars__KUBERNETES_NAMESPACE": "mail"}
    run = run_job(JOB, context(intake, **settings), WELL, tmp_path)
    assert run.of("aws") == ["aws eks update-kubeconfig --region eu-west-1 --name another"]
    assert run.of("kubectl")[0] == "kubectl config set-context --current --namespace mail"


def test_a_tag_that_the_registry_does_not_have_is_refused_before_kubectl_and_aws_are_called(
    tmp_path: Path, intake: Intake
) -> None:
    run = run_job(JOB, context(intake), {f"imagetools inspect {IMAGE}": [(1, "not found")], **WELL}, tmp_path)
    assert run.failed == ["Refuse a tag that the registry does not have"]
    assert [call for call in run.calls if not call.startswith("docker ")] == []


@pytest.mark.parametrize("tag", ["", "a b", "1.0;id", "$(id)", "../x", "1.0@sha256:0", "-x", "1.0\nx", "x" * 129])
def test_an_input_that_is_no_tag_is_refused_before_anything_is_called(tmp_path: Path, intake: Intake, tag: str) -> None:
    run = run_job(JOB, context(intake, inputs__tag=tag), WELL, tmp_path)
    assert run.failed == ["Name the image"]
    assert run.calls == []


@pytest.mark.parametrize("setting", ["vars.IMAGE_NAMESPACE", "secrets.AWS_REGION", "secrets.SMOKE_TOKEN"])
def test_a_setting_that_is_missing_is_named_before_anything_is_called(
    tmp_path: Path, intake: Intake, setting: str
) -> None:
    run = run_job(JOB, context(intake) | {setting: ""}, WELL, tmp_path)
    assert run.failed == ["Name the image"]
    assert setting.partition(".")[2] in run.log
    assert run.calls == []


def test_what_is_posted_is_the_email_of_the_readme_and_one_that_the_intake_takes(
    tmp_path: Path, intake: Intake
) -> None:
    run = run_job(JOB, context(intake), WELL, tmp_path)
    [(path, authorization, body)] = intake.posted
    data = json.loads(body)["data"]
    Email.accept(data, latest=1706213694)
    assert json.dumps(data) in (REPOSITORY / "README.md").read_text()
    assert (path, authorization) == ("/process_request", 'Bearer to"ken\\')
    assert 'to"ken' not in " ".join(run.calls) + run.log


def test_without_an_address_of_its_own_the_one_of_the_load_balancer_is_taken(tmp_path: Path, intake: Intake) -> None:
    rules = {"get service processingrequestssvc": [(0, intake.address)], **WELL}
    run = run_job(JOB, context(intake, vars__SERVICE_URL=""), rules, tmp_path)
    assert run.failed == [], run.log
    assert [path for path, *_ in intake.posted] == ["/process_request"]


def test_a_role_is_taken_on_where_one_is_set_and_the_access_key_elsewhere(tmp_path: Path, intake: Intake) -> None:
    (tmp_path / "key").mkdir()
    [key] = run_job(JOB, context(intake), WELL, tmp_path / "key").of("uses")
    assert "'aws-access-key-id': 'AKIAEXAMPLE'" in key
    assert "role-to-assume" not in key
    (tmp_path / "role").mkdir()
    [role] = run_job(JOB, context(intake, vars__AWS_ROLE_ARN="arn:role"), WELL, tmp_path / "role").of("uses")
    assert role.endswith("{'role-to-assume': 'arn:role', 'aws-region': 'eu-west-1'}")


def test_a_private_image_is_looked_up_with_the_registrys_password(tmp_path: Path, intake: Intake) -> None:
    login = {"secrets__DOCKER_USERNAME": "somebody", "secrets__DOCKER_PASSWORD": "secret"}
    run = run_job(JOB, context(intake, **login), WELL, tmp_path)
    assert run.of("docker")[0] == "docker login docker.io --username somebody --password-stdin"
    assert run.given[run.of("docker")[0]] == "secret"


def test_two_deploys_of_one_environment_wait_for_each_other_and_neither_is_cut_off() -> None:
    assert JOB["concurrency"] == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}


@pytest.mark.parametrize(
    ("app", "image", "deployment"),
    [
        ("processing_requests", "checkpoint-processing_requests", "processingrequests"),
        ("message_broker", "checkpoint-messages_broker", "messagesbroker"),
    ],
)
def test_each_service_has_its_own_image_and_deployment_and_is_started_by_hand_alone(
    app: str, image: str, deployment: str
) -> None:
    workflow = WORKFLOWS[f"deploy-{app}"]
    assert set(workflow["on"]) == {"workflow_dispatch"}
    given = workflow["jobs"]["deploy"]["with"]
    assert (given["image"], given["deployment"]) == (image, deployment)
    assert (given["tag"], given["environment"]) == ("${{ inputs.tag }}", "${{ inputs.environment }}")
    terraform = (REPOSITORY / "terraform" / "variables-workloads.tf").read_text()
    assert f'default     = "{deployment}"' in terraform
