"""What a pod is, what it may do, and what it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from message_broker.settings import BrokerSettings
from processing_requests.settings import IntakeSettings
from terraform.cluster import BROKER, INTAKE, container, environment, of_kind, pod

if TYPE_CHECKING:
    from checkpoint.settings import Settings
    from terraform.cluster import Objects


def test_pods_run_as_nobody_may_change_nothing_and_can_do_nothing_special(deployment: dict[str, Any]) -> None:
    assert pod(deployment)["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container(deployment)["securityContext"] == {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "volumes" not in pod(deployment)


def test_pods_carry_a_role_and_no_token_of_the_cluster(deployment: dict[str, Any], plain: Objects) -> None:
    account = of_kind(plain, "ServiceAccount")[pod(deployment)["serviceAccountName"]]

    assert account["metadata"]["name"] == deployment["metadata"]["name"]
    assert account["automountServiceAccountToken"] is False
    assert pod(deployment)["automountServiceAccountToken"] is False
    assert pod(deployment)["enableServiceLinks"] is False


def test_probes_ask_the_private_port_and_wait_longer_than_it_needs_to_say_that_the_loop_is_stuck(
    deployment: dict[str, Any],
) -> None:
    found = container(deployment)
    probes = {name: found[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}

    assert {name: probe["httpGet"] for name, probe in probes.items()} == {
        "startup": {"path": "/livez", "port": "private"},
        "liveness": {"path": "/livez", "port": "private"},
        "readiness": {"path": "/readyz", "port": "private"},
    }
    assert all(probe["timeoutSeconds"] > 2 for probe in probes.values())
    assert probes["startup"]["failureThreshold"] * probes["startup"]["periodSeconds"] >= 60
    [private] = [port["containerPort"] for port in found["ports"] if port["name"] == "private"]
    assert private == int(environment(deployment)["PRIVATE_PORT"])


@pytest.mark.parametrize(("name", "settings"), [(INTAKE, IntakeSettings), (BROKER, BrokerSettings)])
def test_services_are_given_only_settings_that_they_know(
    name: str, settings: type[Settings], plain: Objects, full: Objects
) -> None:
    known = {field.upper() for field in settings.__struct_fields__} | {"AWS_REGION"}

    for objects in (plain, full):
        assert environment(of_kind(objects, "Deployment")[name]).keys() <= known


def test_each_service_is_told_of_the_queue_and_of_its_own_end_alone(plain: Objects) -> None:
    told = {name: environment(each).keys() for name, each in of_kind(plain, "Deployment").items()}

    assert {"QUEUE_URL", "TOKEN"} <= told[INTAKE]
    assert {"QUEUE_URL", "ARCHIVE_URL"} <= told[BROKER]
    assert "ARCHIVE_URL" not in told[INTAKE]
    assert "TOKEN" not in told[BROKER]


def test_private_images_are_pulled_with_the_secret_that_is_named_and_public_ones_with_none(
    plain: Objects, full: Objects
) -> None:
    for name in (INTAKE, BROKER):
        assert not pod(of_kind(plain, "Deployment")[name]).get("imagePullSecrets")
        assert pod(of_kind(full, "Deployment")[name])["imagePullSecrets"] == [{"name": "registry"}]


def test_pods_are_spread_over_zones_where_that_can_be(deployment: dict[str, Any]) -> None:
    assert pod(deployment)["topologySpreadConstraints"] == [
        {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": deployment["metadata"]["name"]}},
        }
    ]
