"""The Kubernetes objects are valid for the cluster's version, and look as the assignment shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kubernetes_validate
import pytest

from terraform.cluster import BROKER, INTAKE, container, of_kind
from terraform.source import variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terraform.cluster import Objects


@pytest.mark.parametrize("run", ["defaults", "every_option"])
def test_every_object_is_valid_for_the_clusters_version(run: str, objects: Mapping[str, Objects]) -> None:
    builtin = [each for each in objects[run] if each["kind"] != "ScaledObject"]

    assert len(builtin) >= 12
    version = variables()["cluster_version"]["default"].strip('"')
    for each in builtin:
        kubernetes_validate.validate(each, version, strict=True)


def test_kubectl_shows_what_the_assignment_shows(plain: Objects) -> None:
    shown = {
        name: (each["spec"]["replicas"], container(each)["name"], container(each)["image"], each["spec"]["selector"])
        for name, each in of_kind(plain, "Deployment").items()
    }

    assert shown == {
        BROKER: (1, BROKER, "somebody/checkpoint-messages_broker:1.0.5", {"matchLabels": {"app": BROKER}}),
        INTAKE: (1, INTAKE, "somebody/checkpoint-processing_requests:1.0.7", {"matchLabels": {"app": INTAKE}}),
    }
    assert {each["metadata"]["namespace"] for each in plain} == {"default"}


def test_another_namespace_is_made_and_admits_only_pods_like_these(full: Objects, plain: Objects) -> None:
    [namespace] = of_kind(full, "Namespace").values()

    assert namespace["metadata"] == {"name": "mail", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
    assert {each["metadata"].get("namespace", "mail") for each in full} == {"mail"}
    assert not of_kind(plain, "Namespace")
