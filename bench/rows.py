"""The rows of `make bench`: the servers that it compares, and the load that each one gets."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from load import TOKEN
from servers.nginx import program as nginx

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVERS: Final = Path(__file__).parent / "servers"
VENV: Final = Path(sys.prefix) / "bench"  # of what runs beside the intake; `make bench` makes it
DESIGN_PYTHON: Final = VENV / "bin/python"
CLIENTS: Final = 64
# On SQS 64 clients wait for calls more than for the server's core: two workers need more of them to be busy.
MANY: Final = 256
CROWDS: Final = (600, 3_000, 6_000)
SPINNING: Final = 3_000
FEW_WAITING: Final = 64  # MAX_WAITING with which most of a crowd is refused
OTHER: Final = "@other"  # ends the keys of another checkout's rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A server, and the load that it gets.

    key: by which the results of different runs are compared.
    command, environment: what starts it; `{port}` and `{private_port}` stand for ports.
    queue: `sqlite`, `sqs`, or empty where it keeps nothing.
    all_cores: whether it may use the load's core too.
    clients: each posts again as soon as it is answered.
    half_load: whether it is measured at half of that rate too.
    lasts: how many times as long as others it is measured: a crowd takes a while to connect.
    spins: whether the generator is the one that tells refusals apart.
    token: what is posted; with a wrong one nothing is kept.
    """

    key: str
    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    queue: str = ""
    all_cores: bool = False
    clients: int = CLIENTS
    half_load: bool = False
    lasts: int = 1
    spins: bool = False
    token: bytes = TOKEN


def baselines() -> tuple[list[Row], list[str]]:
    """What the intake is compared with, and a line for each that cannot run here."""
    missing = []
    rows = [Row(key="ceiling", title="ceiling: bare ASGI app on uvicorn", command=_program("ceiling"), half_load=True)]
    if nginx():
        rows.append(Row(key="nginx", title="nginx answering a constant", command=_program("nginx"), half_load=True))
    else:
        missing.append("nginx is not installed (Debian: apt-get install nginx-light): its row is left out.")
    if DESIGN_PYTHON.exists():
        rows += _assignments_design()
    else:
        missing.append(
            f"{DESIGN_PYTHON} is missing (make bench makes it): the rows of the assignment's design are left out."
        )
    return rows, missing


def intake(checkout: Path, *, is_other: bool = False) -> tuple[list[Row], list[str]]:
    """The rows of a checkout's intake, and a line for each that cannot run."""
    environment = {"PORT": "{port}", "PRIVATE_PORT": "{private_port}"} | _modules(checkout)
    program = (sys.executable, "-m", "processing_requests")
    sqlite = Row(key="sqlite", title="intake on `sqlite:`", command=program, environment=environment, queue="sqlite")
    sqs = replace(sqlite, key="sqs", title="intake on SQS", queue="sqs")
    both = (sqlite, sqs)
    rows = [replace(row, half_load=True) for row in both]
    rows.append(replace(sqs, key=f"sqs_{MANY}", clients=MANY))
    missing = []
    if _knows_workers(checkout):
        two = environment | {"WORKERS": "2"}
        rows += [
            replace(row, key=f"{row.key}_2_workers", title=f"{row.title}, 2 workers", environment=two, all_cores=True)
            for row in rows
        ]
    else:
        missing.append(f"{checkout} has no setting WORKERS: the rows of two workers are left out.")
    rows += [replace(row, key=f"{row.key}_alone", clients=1) for row in both]
    rows += [_direct(checkout, row.queue) for row in both]
    rows += [replace(sqlite, key=f"sqlite_crowd_{clients}", clients=clients, lasts=2) for clients in CROWDS]
    few, title = environment | {"MAX_WAITING": str(FEW_WAITING)}, f"{sqlite.title}, MAX_WAITING={FEW_WAITING}"
    rows.append(
        replace(sqlite, key="sqlite_spinning", title=title, environment=few, clients=SPINNING, lasts=2, spins=True)
    )
    # What a request costs that ends early shows how much of the whole is spent until then.
    rows.append(replace(sqlite, key="wrong_token", title="intake, wrong token: HTTP and JSON", token=b"barfoo"))
    if is_other:
        rows = [replace(row, key=f"{row.key}{OTHER}", title=f"the other {row.title}") for row in rows]
    return rows, missing


def _direct(checkout: Path, queue: str) -> Row:
    """The ceiling, with a call to the checkout's queue for each request: what a lone request takes at least."""
    title = f"ceiling with a call per request, {'`sqlite:`' if queue == 'sqlite' else 'SQS'}"
    environment = _modules(checkout)
    return Row(
        key=f"{queue}_direct", title=title, command=_program("ceiling"), environment=environment, queue=queue, clients=1
    )


def _assignments_design() -> list[Row]:
    environment = {"PYTHONPATH": str(SERVERS), "TOKEN_PARAMETER": "token"}
    options = ("--bind", "127.0.0.1:{port}", "--threads", str(CLIENTS), "--backlog", "2048")
    flask = Row(
        key="assignment_flask",
        title="assignment's design on Flask's server",
        command=(str(DESIGN_PYTHON), str(SERVERS / "assignments_design.py"), "--port", "{port}"),
        environment=environment,
        queue="sqs",
        half_load=True,
    )
    gunicorn = (str(DESIGN_PYTHON), "-m", "gunicorn", *options, "assignments_design:app")
    title = f"assignment's design on gunicorn, {CLIENTS} threads"
    return [flask, replace(flask, key="assignment_gunicorn", title=title, command=gunicorn)]


def _program(name: str) -> tuple[str, ...]:
    return (sys.executable, str(SERVERS / f"{name}.py"), "--port", "{port}")


def _modules(checkout: Path) -> dict[str, str]:
    """Where Python finds a checkout's modules, before any that are installed."""
    return {"PYTHONPATH": os.pathsep.join(str(checkout / folder) for folder in ("apps", "src"))}


def _knows_workers(checkout: Path) -> bool:
    command = [sys.executable, "-m", "processing_requests", "--help"]
    said = subprocess.run(command, env=_modules(checkout), capture_output=True, text=True, check=False)
    return "WORKERS" in said.stdout
