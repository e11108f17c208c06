"""Renders the workloads of terraform/ as Kubernetes objects, without the Kubernetes provider.

The provider can only be fetched from a registry. So its blocks are rewritten as an output, in which Terraform resolves
variables, locals and loops as it would for the provider. Then this module does the provider's part: it gives fields
their Kubernetes names, and adds the booleans that the provider sends when a block leaves them out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from terraform import source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

OUTPUT: Final = "manifests"

_KINDS: Final = {
    "kubernetes_deployment_v1": ("apps/v1", "Deployment"),
    "kubernetes_horizontal_pod_autoscaler_v2": ("autoscaling/v2", "HorizontalPodAutoscaler"),
    "kubernetes_namespace_v1": ("v1", "Namespace"),
    "kubernetes_network_policy_v1": ("networking.k8s.io/v1", "NetworkPolicy"),
    "kubernetes_pod_disruption_budget_v1": ("policy/v1", "PodDisruptionBudget"),
    "kubernetes_role_binding_v1": ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    "kubernetes_role_v1": ("rbac.authorization.k8s.io/v1", "Role"),
    "kubernetes_service_account_v1": ("v1", "ServiceAccount"),
    "kubernetes_service_v1": ("v1", "Service"),
}
# Blocks that may be repeated, and the Kubernetes name of their list. Any other block is an object.
_LISTS: Final = {
    "container": "containers",
    "egress": "egress",
    "env": "env",
    "from": "from",
    "image_pull_secrets": "imagePullSecrets",
    "ingress": "ingress",
    "metric": "metrics",
    "port": "ports",
    "ports": "ports",
    "rule": "rules",
    "subject": "subjects",
    "to": "to",
    "topology_spread_constraint": "topologySpreadConstraints",
}
# Terraform has only strings here; Kubernetes tells "1" from 1.
_INT_OR_STRING: Final = {"max_surge", "max_unavailable", "port", "target_port"}
# What the provider sends for a boolean that a block leaves out: the schema's default, or false if there is none.
# Versions 2.36 and 2.38, kubernetes/schema_pod_spec.go, schema_container.go, structures_*.go of
# https://github.com/hashicorp/terraform-provider-kubernetes
_SENT_FOR_A_POD: Final = {
    "automount_service_account_token": True,
    "enable_service_links": True,
    "host_ipc": False,
    "host_network": False,
    "host_pid": False,
    "share_process_namespace": False,
}
_SENT_FOR_ITS_SECURITY_CONTEXT: Final = {"run_as_non_root": False}
_SENT_FOR_A_CONTAINER: Final = {"stdin": False, "stdin_once": False, "tty": False}
_SENT_FOR_A_CONTAINERS_SECURITY_CONTEXT: Final = {
    "allow_privilege_escalation": True,
    "privileged": False,
    "read_only_root_filesystem": False,
    "run_as_non_root": False,
}
_ABBREVIATIONS: Final = {"ipc": "IPC", "pid": "PID"}
_TERRAFORMS_OWN: Final = {"count", "depends_on", "for_each", "lifecycle"}


def as_output(files: Sequence[Path]) -> str:
    """The locals of the files, and one output with their rendered resources."""
    local = {name: value for block in source.parsed(files)["locals"] for name, value in block.items()}
    # The load balancer's name is known only after an apply.
    local["load_balancer_host"] = '"the-load-balancer-1234567890.us-east-1.elb.amazonaws.com"'
    resources = (f'"{kind}.{name}" = {_instances(body)}' for kind, name, body in source.resources(files))
    values = (f"{name} = {_expression(value)}" for name, value in _members(local))
    return "\n".join(["locals {", *values, "}", f"output {OUTPUT} {{", "value = {", *resources, "}", "}", ""])


def objects(evaluated: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The output's value as Kubernetes objects."""
    return [_object(address.partition(".")[0], body) for address, bodies in evaluated.items() for body in bodies]


def _instances(body: dict[str, Any]) -> str:
    own = _expression({key: value for key, value in body.items() if key not in _TERRAFORMS_OWN})
    if "for_each" in body:
        own = re.sub(r"\beach\.(key|value)\b", r"each_\1", own)
        return f"[for each_key, each_value in {_expression(body['for_each'])} : {own}]"
    return f"[for instance in range({_expression(body.get('count', 1))}) : {own}]"


def _expression(value: Any) -> str:
    """Parsed HCL as an expression: a block becomes an object in a list."""
    match value:
        case dict():
            members = [f"{key} = {_expression(each)}" for key, each in _members(value)]
            return f"{{ {', '.join(members)} }}"
        case list():
            return f"[{', '.join(map(_expression, value))}]"
        case str():
            inner = re.fullmatch(r"\$\{(.*)\}", value, re.DOTALL)
            return inner[1] if inner else value
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case _:
            return str(value)


def _members(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The members of a block. Those that a `dynamic` block repeats come before those that are written out."""
    members = {key: each for key, each in body.items() if key not in {"dynamic", "__is_block__"}}
    for dynamic in body.get("dynamic", []):
        for label, repeated in ((key, each) for key, each in dynamic.items() if key != "__is_block__"):
            name = label.strip('"')
            [content] = repeated["content"]
            items = f"[for key, value in {_expression(repeated['for_each'])} : {{ key = key, value = value }}]"
            loop = f"[for {name} in {items} : {_expression(content)}]"
            members[name] = f"${{concat({loop}, {_expression(members.get(name, []))})}}"
    yield from members.items()


def _object(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    if kind == "kubernetes_manifest":
        manifest: dict[str, Any] = body["manifest"]
        return manifest
    api_version, name = _KINDS[kind]
    if name == "Deployment":
        _fill_in(body["spec"][0]["template"][0]["spec"][0])
    return {"apiVersion": api_version, "kind": name, **_named(body)}


def _fill_in(pod: dict[str, Any]) -> None:
    """Add to a pod's block the booleans that the provider sends."""
    _add(_SENT_FOR_A_POD, [pod])
    _add(_SENT_FOR_ITS_SECURITY_CONTEXT, pod.get("security_context", []))
    for container in (*pod.get("init_container", []), *pod["container"]):
        _add(_SENT_FOR_A_CONTAINER, [container])
        _add(_SENT_FOR_A_CONTAINERS_SECURITY_CONTEXT, container.get("security_context", []))


def _add(sent: Mapping[str, bool], blocks: list[dict[str, Any]]) -> None:
    for block in blocks:
        block.update({**sent, **block})


def _named(block: dict[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for key, value in block.items():
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            converted = [_named(each) for each in value]
            if key in _LISTS:
                named[_LISTS[key]] = converted
            elif converted:
                [named[_camel(key)]] = converted
        elif value is not None:
            named[_camel(key)] = int(value) if key in _INT_OR_STRING and str(value).isdecimal() else value
    return named


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(_ABBREVIATIONS.get(word, word.capitalize()) for word in rest)
