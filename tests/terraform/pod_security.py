"""The restricted profile of Pod Security, as a table.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

_ABSENT: Final = None
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS: Final = ("postStart", "preStop")
_VOLUMES: Final = frozenset(
    ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"]
)
_SAFE_SYSCTLS: Final = frozenset(
    [
        _ABSENT,
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    ]
)
_SELINUX_TYPES: Final = frozenset(
    [_ABSENT, "", "container_engine_t", "container_init_t", "container_kvm_t", "container_t"]
)

# The control's name, the scope, the field, and the allowed values. The field is read from the pod (`spec`) or from each
# container (`container`). With the scope `either`, both must have allowed values, and a container without the field
# inherits the pod's.
_Rule = tuple[str, str, str, "Collection[Any] | Callable[[Any], bool]"]

_RULES: Final[tuple[_Rule, ...]] = (
    ("Host Namespaces", "spec", "hostNetwork", (_ABSENT, False)),
    ("Host Namespaces", "spec", "hostPID", (_ABSENT, False)),
    ("Host Namespaces", "spec", "hostIPC", (_ABSENT, False)),
    ("HostProcess", "spec", "securityContext.windowsOptions.hostProcess", (_ABSENT, False)),
    ("HostProcess", "container", "securityContext.windowsOptions.hostProcess", (_ABSENT, False)),
    ("Privileged Containers", "container", "securityContext.privileged", (_ABSENT, False)),
    ("Host Ports", "container", "ports[].hostPort", (_ABSENT, 0)),
    *(("Host Probes", "container", f"{probe}.httpGet.host", (_ABSENT, "")) for probe in _PROBES),
    *(("Host Probes", "container", f"{probe}.tcpSocket.host", (_ABSENT, "")) for probe in _PROBES),
    *(("Host Probes", "container", f"lifecycle.{hook}.httpGet.host", (_ABSENT, "")) for hook in _HOOKS),
    *(("Host Probes", "container", f"lifecycle.{hook}.tcpSocket.host", (_ABSENT, "")) for hook in _HOOKS),
    ("AppArmor", "either", "securityContext.appArmorProfile.type", (_ABSENT, "RuntimeDefault", "Localhost")),
    ("SELinux", "either", "securityContext.seLinuxOptions.type", _SELINUX_TYPES),
    ("SELinux", "either", "securityContext.seLinuxOptions.user", (_ABSENT, "")),
    ("SELinux", "either", "securityContext.seLinuxOptions.role", (_ABSENT, "")),
    ("/proc Mount Type", "container", "securityContext.procMount", (_ABSENT, "Default")),
    ("Sysctls", "spec", "securityContext.sysctls[].name", _SAFE_SYSCTLS),
    ("Volume Types", "spec", "volumes[]", lambda value: value is _ABSENT or value.keys() - {"name"} <= _VOLUMES),
    ("Privilege Escalation", "container", "securityContext.allowPrivilegeEscalation", (False,)),
    ("Running as Non-root", "either", "securityContext.runAsNonRoot", (True,)),
    ("Running as Non-root user", "either", "securityContext.runAsUser", lambda value: value != 0),
    ("Seccomp", "either", "securityContext.seccompProfile.type", ("RuntimeDefault", "Localhost")),
    ("Capabilities", "container", "securityContext.capabilities.drop", lambda value: "ALL" in (value or [])),
    ("Capabilities", "container", "securityContext.capabilities.add[]", (_ABSENT, "NET_BIND_SERVICE")),
)


def refusals(pod: dict[str, Any]) -> list[str]:
    """Why a namespace that enforces the restricted profile refuses a pod of this spec; empty if it admits it."""
    return [
        f"{control}: {where}.{field} is {value!r}"
        for control, scope, field, allowed in _RULES
        for where, value in _found(pod, scope, field)
        if not (allowed(value) if callable(allowed) else value in allowed)
    ]


def _found(pod: dict[str, Any], scope: str, field: str) -> Iterator[tuple[str, Any]]:
    said_by_pod = [] if scope == "container" else list(_values(pod, field.split(".")))
    yield from (("spec", value) for value in said_by_pod if scope == "spec" or value is not _ABSENT)
    if scope == "spec":
        return
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for container in pod.get(kind, []):
            for value in _values(container, field.split(".")):
                inherited = scope == "either" and value is _ABSENT
                yield from ((container["name"], each) for each in (said_by_pod if inherited else [value]))


def _values(node: Any, path: list[str]) -> Iterator[Any]:
    if not path or node is _ABSENT:
        yield node
        return
    name, *rest = path
    below = node.get(name.removesuffix("[]"))
    if name.endswith("[]"):
        for each in below or [_ABSENT]:
            yield from _values(each, rest)
    else:
        yield from _values(below, rest)
