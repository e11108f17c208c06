"""Finds things in a list of Kubernetes objects."""

from __future__ import annotations

from typing import Any, Final

Objects = list[dict[str, Any]]

INTAKE: Final = "processingrequests"
BROKER: Final = "messagesbroker"


def of_kind(objects: Objects, kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind, by name."""
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def pod(deployment: dict[str, Any]) -> dict[str, Any]:
    """The pod specification of a deployment."""
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    """The one container of a deployment."""
    [found] = pod(deployment)["containers"]
    only: dict[str, Any] = found
    return only


def environment(deployment: dict[str, Any]) -> dict[str, str]:
    """The environment variables of its container."""
    return {each["name"]: each["value"] for each in container(deployment)["env"]}
