"""What happens to pods when one is replaced, a node is drained, or the load grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from terraform.cluster import BROKER, INTAKE, container, environment, of_kind, pod
from terraform.source import WORKLOADS, resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terraform.cluster import Objects


@pytest.mark.parametrize(("run", "drain"), [("defaults", 20), ("every_option", 45)])
@pytest.mark.parametrize(("name", "sleep", "margin"), [(INTAKE, 10, 10), (BROKER, 0, 15)])
def test_the_grace_period_holds_the_sleep_the_drain_and_what_comes_after(
    objects: Mapping[str, Objects], run: str, drain: int, *, name: str, sleep: int, margin: int
) -> None:
    deployment = of_kind(objects[run], "Deployment")[name]
    told = environment(deployment)

    assert int(told.get("DRAIN_SECONDS") or told["GRACE_SECONDS"]) == drain
    assert container(deployment)["lifecycle"] == {
        "preStop": {"exec": {"command": ["python", "-c", f"import time; time.sleep({sleep})"]}}
    }
    assert pod(deployment)["terminationGracePeriodSeconds"] == sleep + drain + margin


def test_no_pod_ends_before_the_one_that_takes_its_place_is_ready(deployment: dict[str, Any]) -> None:
    assert deployment["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }
    assert deployment["spec"]["revisionHistoryLimit"] == 10


def test_a_drain_evicts_one_pod_at_a_time(plain: Objects) -> None:
    assert {name: each["spec"] for name, each in of_kind(plain, "PodDisruptionBudget").items()} == {
        name: {"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}} for name in (INTAKE, BROKER)
    }


def test_each_is_scaled_between_its_own_bounds(plain: Objects, full: Objects) -> None:
    bounds = [
        (each["spec"]["scaleTargetRef"]["name"], each["spec"]["minReplicas"], each["spec"]["maxReplicas"])
        for objects in (plain, full)
        for each in of_kind(objects, "HorizontalPodAutoscaler").values()
    ]

    assert sorted(bounds) == [(BROKER, 1, 4), (INTAKE, 1, 4), (INTAKE, 3, 8)]
    assert not of_kind(plain, "ScaledObject")


def test_with_keda_the_broker_is_scaled_by_the_queues_length_and_by_nothing_else(full: Objects) -> None:
    assert list(of_kind(full, "HorizontalPodAutoscaler")) == [INTAKE]
    [scaled] = of_kind(full, "ScaledObject").values()
    assert scaled["spec"] == {
        "scaleTargetRef": {"name": BROKER},
        "minReplicaCount": 2,
        "maxReplicaCount": 9,
        "triggers": [
            {
                "type": "aws-sqs-queue",
                "metadata": {
                    "awsRegion": "us-east-1",
                    "identityOwner": "operator",
                    "queueLength": "500",
                    "queueURL": "https://sqs.us-east-1.amazonaws.com/123456789012/my_sqs",
                },
            }
        ],
    }


def test_the_next_apply_undoes_neither_a_deploy_nor_the_autoscaler() -> None:
    [deployment] = [body for kind, _, body in resources(WORKLOADS) if kind == "kubernetes_deployment_v1"]

    assert deployment["lifecycle"][0]["ignore_changes"] == [
        "${spec[0].replicas}",
        "${spec[0].template[0].spec[0].container[0].image}",
    ]
