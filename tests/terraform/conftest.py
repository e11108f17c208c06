from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from terraform import manifests, prepared
from terraform.cluster import BROKER, INTAKE, of_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from terraform.cluster import Objects
    from terraform.prepared import Terraform


@pytest.fixture(scope="session")
def terraform_is_here(cannot_run: Callable[[str], NoReturn]) -> None:
    """Skips, or fails, a test that runs Terraform where Terraform or its provider is missing."""
    if reason := prepared.missing():
        cannot_run(reason)


@pytest.fixture(scope="session")
def configuration(terraform_is_here: None, tmp_path_factory: pytest.TempPathFactory) -> Terraform:  # noqa: ARG001  first
    """The whole configuration, initialised once for all tests."""
    return prepared.with_stubs(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="session")
def plans(configuration: Terraform) -> Mapping[str, dict[str, Any]]:
    """The plans of manifests.tftest.hcl, by the names of its runs."""
    events = configuration.test("-verbose", "-filter=manifests.tftest.hcl")
    assert [event["diagnostic"] for event in events if event["type"] == "diagnostic"] == []
    return {event["@testrun"]: event["test_plan"] for event in events if event["type"] == "test_plan"}


@pytest.fixture(scope="session")
def objects(plans: Mapping[str, dict[str, Any]]) -> Mapping[str, Objects]:
    """The Kubernetes objects of each of these plans."""
    return {run: manifests.objects(plan["output_changes"][manifests.OUTPUT]["after"]) for run, plan in plans.items()}


@pytest.fixture
def plain(objects: Mapping[str, Objects]) -> Objects:
    """The objects with the defaults."""
    return objects["defaults"]


@pytest.fixture
def full(objects: Mapping[str, Objects]) -> Objects:
    """The objects with every option."""
    return objects["every_option"]


@pytest.fixture(params=[INTAKE, BROKER])
def deployment(request: pytest.FixtureRequest, plain: Objects) -> dict[str, Any]:
    """Each of the two deployments, for tests that hold for both."""
    return of_kind(plain, "Deployment")[request.param]
