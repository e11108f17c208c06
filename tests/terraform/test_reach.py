"""What can reach a pod, what a pod can reach, and what the deploy pipelines may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from terraform.cluster import BROKER, INTAKE, container, of_kind

if TYPE_CHECKING:
    from terraform.cluster import Objects


def test_the_service_leads_to_the_intakes_public_port(plain: Objects) -> None:
    [(name, service)] = of_kind(plain, "Service").items()

    assert name == "processingrequestssvc"
    assert service["spec"] == {
        "type": "LoadBalancer",
        "selector": {"app": INTAKE},
        "ports": [{"name": "http", "port": 5001, "targetPort": "public", "protocol": "TCP"}],
        "loadBalancerSourceRanges": ["0.0.0.0/0"],
    }
    assert {"name": "public", "containerPort": 5001, "protocol": "TCP"} in container(
        of_kind(plain, "Deployment")[INTAKE]
    )["ports"]


def test_without_a_certificate_nothing_speaks_of_tls(plain: Objects) -> None:
    assert not [
        name for name in of_kind(plain, "Service")["processingrequestssvc"]["metadata"]["annotations"] if "ssl" in name
    ]


def test_with_a_certificate_the_load_balancer_ends_tls_and_takes_given_clients_only(full: Objects) -> None:
    service = of_kind(full, "Service")["processingrequestssvc"]
    prefix = "service.beta.kubernetes.io/aws-load-balancer-"

    assert service["metadata"]["annotations"] == {
        f"{prefix}backend-protocol": "tcp",
        f"{prefix}connection-draining-enabled": "true",
        f"{prefix}connection-draining-timeout": "45",
        f"{prefix}ssl-cert": "arn:aws:acm:us-east-1:123456789012:certificate/a-certificate",
        f"{prefix}ssl-negotiation-policy": "ELBSecurityPolicy-TLS-1-2-2017-01",
        f"{prefix}ssl-ports": "443",
    }
    assert service["spec"]["ports"][0]["port"] == 443
    assert service["spec"]["loadBalancerSourceRanges"] == ["203.0.113.0/24"]


def test_only_the_network_reaches_the_public_port_and_only_monitoring_the_private_one(plain: Objects) -> None:
    def metrics(port: int) -> dict[str, Any]:
        return {
            "ports": [{"port": port, "protocol": "TCP"}],
            "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        }

    public = {"ports": [{"port": 5001, "protocol": "TCP"}], "from": [{"ipBlock": {"cidr": "10.0.0.0/16"}}]}
    assert of_kind(plain, "NetworkPolicy")[f"{INTAKE}-ingress"]["spec"] == {
        "policyTypes": ["Ingress"],
        "podSelector": {"matchLabels": {"app": INTAKE}},
        "ingress": [public, metrics(9001)],
    }
    assert of_kind(plain, "NetworkPolicy")[f"{BROKER}-ingress"]["spec"] == {
        "policyTypes": ["Ingress"],
        "podSelector": {"matchLabels": {"app": BROKER}},
        "ingress": [metrics(9002)],
    }


@pytest.mark.parametrize("name", [INTAKE, BROKER])
def test_pods_reach_names_aws_and_their_role_and_neither_neighbours_nor_the_nodes_metadata(
    name: str, plain: Objects
) -> None:
    assert of_kind(plain, "NetworkPolicy")[f"{name}-egress"]["spec"] == {
        "policyTypes": ["Egress"],
        "podSelector": {"matchLabels": {"app": name}},
        "egress": [
            {
                "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
                "to": [
                    {
                        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
                        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
                    }
                ],
            },
            {
                "ports": [{"port": 443, "protocol": "TCP"}],
                "to": [
                    {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/16", "172.20.0.0/16", "169.254.0.0/16"]}}
                ],
            },
            {"ports": [{"port": 80, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}]},
        ],
    }


def test_the_deployer_may_set_images_wait_and_look_and_no_more(plain: Objects) -> None:
    look = ["get", "list", "watch"]
    assert of_kind(plain, "Role")["checkpoint-deployer"]["rules"] == [
        {
            "apiGroups": ["apps"],
            "resources": ["deployments"],
            "resourceNames": [INTAKE, BROKER],
            "verbs": [*look, "patch"],
        },
        {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": look},
        {"apiGroups": [""], "resources": ["pods", "events"], "verbs": look},
        {"apiGroups": [""], "resources": ["services"], "resourceNames": ["processingrequestssvc"], "verbs": ["get"]},
    ]
    binding = of_kind(plain, "RoleBinding")["checkpoint-deployer"]
    group = "rbac.authorization.k8s.io"
    assert binding["roleRef"] == {"apiGroup": group, "kind": "Role", "name": "checkpoint-deployer"}
    assert binding["subjects"] == [{"apiGroup": group, "kind": "Group", "name": "checkpoint:deployers"}]
