"""The order of creation, which is the reverse order of destruction."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from terraform.source import WORKLOADS, resources

if TYPE_CHECKING:
    from collections.abc import Collection

    from terraform.prepared import Terraform


def graph(configuration: Terraform) -> list[tuple[str, str]]:
    """Terraform's own graph: pairs of a resource and one that it depends on."""
    return re.findall(r'"([^"]+)" -> "([^"]+)"', configuration.run("graph").stdout)


def after(one: str, edges: Collection[tuple[str, str]]) -> set[str]:
    """All that a resource depends on, directly or not."""
    found: set[str] = set()
    left = {one}
    while left:
        left = {other for each, other in edges if each in left} - found
        found |= left
    return found


@pytest.mark.parametrize("way_out", ["module.vpc.terraform_data.nat_gateway_route", "aws_vpc_endpoint.s3"])
def test_nodes_keep_their_way_out_for_as_long_as_they_live(configuration: Terraform, way_out: str) -> None:
    assert way_out in after("module.eks.terraform_data.nodes", graph(configuration))


def test_no_cluster_is_made_before_it_is_clear_that_who_applies_may_administer_it(configuration: Terraform) -> None:
    assert "data.aws_iam_session_context.this" in after("module.eks.terraform_data.nodes", graph(configuration))


def test_everything_in_the_cluster_goes_before_the_cluster() -> None:
    workloads = [each for each in resources(WORKLOADS) if each[0].startswith("kubernetes_")]
    edges = [(f"{kind}.{name}", other.strip("${}")) for kind, name, body in workloads for other in body["depends_on"]]

    assert len(workloads) >= 10
    assert [each for each in workloads if "module.eks" not in after(".".join(each[:2]), edges)] == []
