"""Both services' pods are admitted where the restricted profile of Pod Security is enforced."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import pytest

from terraform.cluster import BROKER, INTAKE, of_kind, pod
from terraform.pod_security import refusals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terraform.cluster import Objects

# In `default`, which enforces nothing by itself, and in a namespace of its own, which is made to enforce it.
_RUNS: Final = {"defaults": "default", "every_option": "mail"}
_ADMITTED: Final[dict[str, Any]] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "one",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}


def test_the_table_admits_a_pod_that_says_what_it_must() -> None:
    assert refusals(_ADMITTED) == []


@pytest.mark.parametrize(
    ("control", "where", "value"),
    [
        ("Host Namespaces", "hostNetwork", True),
        ("Host Namespaces", "hostPID", True),
        ("Host Namespaces", "hostIPC", True),
        ("HostProcess", "securityContext.windowsOptions", {"hostProcess": True}),
        ("Privileged Containers", "containers.0.securityContext.privileged", True),
        ("Host Ports", "containers.0.ports", [{"hostPort": 5001}]),
        ("Host Probes", "containers.0.livenessProbe", {"httpGet": {"host": "elsewhere"}}),
        ("AppArmor", "securityContext.appArmorProfile", {"type": "Unconfined"}),
        ("SELinux", "containers.0.securityContext.seLinuxOptions", {"type": "spc_t"}),
        ("/proc Mount Type", "containers.0.securityContext.procMount", "Unmasked"),
        ("Sysctls", "securityContext.sysctls", [{"name": "kernel.msgmax"}]),
        ("Volume Types", "volumes", [{"name": "node", "hostPath": {"path": "/"}}]),
        ("Privilege Escalation", "containers.0.securityContext.allowPrivilegeEscalation", None),
        ("Running as Non-root", "securityContext.runAsNonRoot", None),
        ("Running as Non-root", "containers.0.securityContext.runAsNonRoot", False),
        ("Running as Non-root user", "containers.0.securityContext.runAsUser", 0),
        ("Running as Non-root user", "securityContext.runAsUser", 0),
        ("Seccomp", "securityContext.seccompProfile", None),
        ("Seccomp", "containers.0.securityContext.seccompProfile", {"type": "Unconfined"}),
        ("Capabilities", "containers.0.securityContext.capabilities.drop", ["NET_RAW"]),
        ("Capabilities", "containers.0.securityContext.capabilities.add", ["SYS_ADMIN"]),
        (
            "Privilege Escalation",
            "initContainers",
            [{"name": "two", "securityContext": {"capabilities": {"drop": ["ALL"]}}}],
        ),
    ],
)
def test_the_table_refuses_a_pod_that_breaks_one_control(control: str, where: str, value: object) -> None:
    broken: Any = copy.deepcopy(_ADMITTED)
    *path, last = where.split(".")
    target = broken
    for name in path:
        target = target[int(name)] if name.isdecimal() else target[name]
    target[last] = value

    assert {refusal.partition(":")[0] for refusal in refusals(broken)} == {control}


@pytest.mark.parametrize(("run", "namespace"), _RUNS.items())
@pytest.mark.parametrize("name", [INTAKE, BROKER])
def test_pods_are_admitted_by_the_restricted_profile(
    run: str, namespace: str, *, name: str, objects: Mapping[str, Objects]
) -> None:
    deployment = of_kind(objects[run], "Deployment")[name]

    assert deployment["metadata"]["namespace"] == namespace
    assert refusals(pod(deployment)) == []
