"""The rows of `make bench`: the servers that it compares, and the load that each one gets."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from serving import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVERS: Final = Path(__file__).parent / "servers"
CLIENTS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A server, and the load that it gets.

    key: by which results of different runs are compared.
    command, environment: what starts it; `{port}` stands for the port to listen on.
    queue: `sqlite`, `sqs`, or empty where it keeps nothing. all_cores: whether it may use the load's core too.
    clients: at saturation. half_load: whether it is measured at half of what it took at saturation.
    alone: whether it is measured with one client.
    spinning: whether its clients are those that are told from others by status.
    """

    key: str
    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    queue: str = ""
    all_cores: bool = False
    clients: int = CLIENTS
    half_load: bool = True
    alone: bool = False
    spinning: bool = False


def baselines() -> list[Row]:
    """What ours is compared with."""
    return [
        Row(
            key="ceiling",
            title="ceiling: bare ASGI app on uvicorn, keeps nothing",
            command=(sys.executable, str(SERVERS / "ceiling.py"), "--port", "{port}"),
        ),
    ]


def intake(checkout: Path, suffix: str = "") -> list[Row]:
    """Ours. suffix: of the keys and titles, where two checkouts are measured."""
    command = (sys.executable, "-m", "processing_requests")
    path = os.pathsep.join([str(checkout / "apps"), str(checkout / "src")])
    environment = {"PORT": "{port}", "PRIVATE_PORT": str(free_port()), "PYTHONPATH": path}
    return [
        Row(
            key=f"sqlite{suffix}",
            title=f"intake on sqlite:{suffix}",
            command=command,
            environment=environment,
            queue="sqlite",
            alone=True,
        ),
        Row(
            key=f"sqs{suffix}",
            title=f"intake on SQS{suffix}",
            command=command,
            environment=environment,
            queue="sqs",
            alone=True,
        ),
    ]
