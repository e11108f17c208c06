"""terraform/ as a whole: its files, its variables, and Terraform's own checks."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, Final

import pytest

from e2e.test_assignment import GOOD
from terraform.prepared import TESTS, Terraform
from terraform.source import CONFIGURATION, parsed, variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TOKEN: Final = "a-token-of-the-tests"
_ASSIGNED_FILES: Final = {
    "eks-cluster.tf",
    "kubernetes.tf",
    "main.tf",
    "outputs.tf",
    "s3.tf",
    "sqs.tf",
    "ssm.tf",
    "terraform.tf",
    "variables.tf",
    "vpc.tf",
}


# manifests.tftest.hcl asserts nothing: conftest.py reads its plans.
_FILES: Final = sorted(file for file in TESTS.glob("*.tftest.hcl") if file.name != "manifests.tftest.hcl")


def _runs() -> Iterator[tuple[str, str]]:
    for file in _FILES:
        for run in re.findall(r'^run "(\w+)"', file.read_text(), re.MULTILINE):
            yield file.name, run


@pytest.fixture(scope="session")
def outcomes(configuration: Terraform) -> Mapping[tuple[str, str], tuple[str, str]]:
    """The status and the errors of each run of Terraform's own tests."""
    events = configuration.test(*(f"-filter={file.name}" for file in _FILES))
    wrong: dict[tuple[str, str], list[str]] = {}
    for event in events:
        if event["type"] == "diagnostic":
            key = event.get("@testfile", ""), event.get("@testrun", "")
            wrong.setdefault(key, []).append(json.dumps(event["diagnostic"], indent=1))
    done = [event["test_run"] for event in events if event["type"] == "test_run" and "status" in event["test_run"]]
    return {
        (run["path"], run["run"]): (run["status"], "\n".join(wrong.get((run["path"], run["run"]), []))) for run in done
    }


def test_the_files_of_the_assignment_are_all_there() -> None:
    assert {file.name for file in CONFIGURATION.glob("*.tf")} >= _ASSIGNED_FILES


@pytest.mark.usefixtures("terraform_is_here")
def test_every_file_is_in_the_one_format() -> None:
    for directory in (CONFIGURATION, TESTS):
        Terraform(directory).run("fmt", "-check", "-recursive", "-diff")


def test_every_variable_is_typed_described_and_validated() -> None:
    lacking = [
        name
        for name, variable in variables().items()
        if not (variable.get("type") and variable.get("description", "").endswith('."'))
        or not (variable["type"] == "bool" or variable.get("validation"))
    ]

    assert len(variables()) > 40
    assert lacking == []


def test_the_token_is_sensitive_kept_nowhere_and_has_no_default() -> None:
    token = variables()["token"]

    assert token["sensitive"] is True
    assert token["ephemeral"] is True
    assert "default" not in token


def test_the_example_gives_every_variable_that_has_no_default_except_the_token() -> None:
    example = parsed([CONFIGURATION / "terraform.tfvars.example"])

    assert {name for name, variable in variables().items() if "default" not in variable} <= {*example, "token"}
    assert example.keys() <= variables().keys()
    assert "token" not in example


def test_the_whole_is_valid(configuration: Terraform) -> None:
    configuration.run("validate", "-no-color")


@pytest.mark.parametrize(("file", "run"), list(_runs()))
def test_terraforms_own_tests_pass(file: str, run: str, outcomes: Mapping[tuple[str, str], tuple[str, str]]) -> None:
    status, wrong = outcomes[file, run]

    assert status == "pass", wrong


def test_no_plan_and_no_output_holds_the_token(plans: Mapping[str, dict[str, Any]]) -> None:
    for plan in plans.values():
        shown = json.dumps([plan["resource_changes"], plan["output_changes"]])
        assert "/checkpoint/token" in shown
        assert _TOKEN not in shown


def test_no_output_is_sensitive(plans: Mapping[str, dict[str, Any]]) -> None:
    for plan in plans.values():
        for name, output in plan["output_changes"].items():
            assert not output["after_sensitive"], name


def test_the_post_command_sends_the_assigned_request_byte_for_byte(plans: Mapping[str, dict[str, Any]]) -> None:
    command = plans["defaults"]["output_changes"]["post_command"]["after"]
    *_, flag, request, url = shlex.split(command)

    assert (flag, url) == ("-d", "http://the-load-balancer-1234567890.us-east-1.elb.amazonaws.com:5001/process_request")
    assert request.replace("TOKEN", "foobar").encode() == GOOD
