"""A real Prometheus reads both services, and answers every query of the dashboard and every rule."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from ruamel.yaml import YAML

from e2e.marked import marked
from e2e.ports import free_port
from e2e.posting import post_all, post_email
from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.one_machine import OneMachine
    from e2e.services import Service, Services

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
DASHBOARD: Final = json.loads((DEPLOY / "grafana/dashboards/checkpoint.json").read_text())
# As Grafana replaces it where Prometheus scrapes every 15 s.
VARIABLES: Final = {"$__rate_interval": "1m"}
# What has no series as long as nothing is wrong.
MAY_BE_EMPTY: Final = re.compile("> 0|archive_call_failures")
# What must not be active here; a scrape of a busy machine may fail once.
QUIET: Final = {"IntakeDown", "BrokerDown", "QueueFull", "DiskAlmostFull", "MessagesFailing", "WorkerRestarts"}

pytestmark = pytest.mark.skipif(not shutil.which("prometheus"), reason="Prometheus is not on the PATH")


class Prometheus:
    """A Prometheus with the configuration of deploy/, but for the addresses and the times."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"

    def get(self, path: str, **parameters: str) -> Any:
        """What its API answers."""
        url = f"{self._address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  it is of http
            told = json.load(answer)
        assert told["status"] == "success", told
        assert not told.get("warnings"), told
        return told["data"]

    def values(self, expression: str) -> list[float]:
        """What an expression gives now."""
        data = self.get("query", query=expression)
        samples = [data] if data["resultType"] == "scalar" else data["result"]
        return [float((sample["value"] if isinstance(sample, dict) else sample)[1]) for sample in samples]

    def is_up(self) -> bool:
        """Whether it answers, and has read both services."""
        try:
            return self.values("sum(up)") == [2]
        except OSError:
            return False

    def is_evaluated(self) -> bool:
        """Whether every rule was."""
        return all(rule["health"] != "unknown" for rule in self.rules())

    def active(self) -> set[str]:
        """The alerts that fire or are about to."""
        return {rule["name"] for rule in self.rules() if rule["state"] != "inactive"}

    def rules(self) -> list[dict[str, Any]]:
        """The rules, with what became of them."""
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]


@contextmanager
def prometheus(directory: Path, **targets: Service) -> Iterator[Prometheus]:
    """A Prometheus that has read its targets, by the names of their jobs."""
    configuration = YAML(typ="safe").load(DEPLOY / "prometheus/prometheus.yml")
    configuration["global"] = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    configuration["rule_files"] = [str(DEPLOY / "prometheus" / name) for name in configuration["rule_files"]]
    for job in configuration["scrape_configs"]:
        [static] = job["static_configs"]
        static["targets"] = [f"127.0.0.1:{targets[job['job_name']].private_port}"]
    (directory / "prometheus.json").write_text(json.dumps(configuration))  # JSON is YAML
    port = free_port()
    command = ["prometheus", "--config.file=prometheus.json", f"--web.listen-address=127.0.0.1:{port}"]
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*command, "--storage.tsdb.path=prometheus"], cwd=directory, stdout=log, stderr=log)
    try:
        running = Prometheus(port)
        until(running.is_up, "Prometheus has read both services")
        yield running
    finally:
        process.kill()
        process.wait()


def queries() -> list[tuple[str, str]]:
    """Those of the dashboard, as Grafana sends them, each with the title of its panel."""
    found = []
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            assert "$" not in expression
            found.append((panel["title"], expression))
    return found


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)
def test_every_query_of_the_dashboard_and_every_rule_has_an_answer(
    world: OneMachine, services: Services, tmp_path: Path
) -> None:
    intake, broker = services.intake(WORKERS="2"), services.broker()
    with prometheus(tmp_path, processing_requests=intake, message_broker=broker) as running:
        emails = [marked(number) for number in range(20)]
        assert {answer.status for answer in post_all(intake.port, [*emails, emails[0]])} == {200}
        assert post_email(intake.port, emails[0], token="wrong").status == 401
        world.put(b"no e-mail")
        stored = 'sum(checkpoint_messages_total{outcome=~"created|already_there"})'
        until(lambda: running.values(stored) == [21], "what was stored shows")
        until(lambda: running.values("sum(checkpoint_dead_letters)") == [1], "the dead letter shows")
        with world.queue_away():
            assert post_email(intake.port, emails[0]).status == 503
            until(lambda: running.values("min(checkpoint_queue_up)") == [0], "the outage shows")
        until(lambda: running.values("min(checkpoint_queue_up)") == [1], "the end of the outage shows")
        until(running.is_evaluated, "every rule was evaluated")
        until(lambda: not running.active() & QUIET, "no alert is active without a cause")

        without_data = [
            (title, expression)
            for title, expression in queries()
            if not any(map(math.isfinite, running.values(expression))) and not MAY_BE_EMPTY.search(expression)
        ]
        rules = {rule["name"]: rule for rule in running.rules()}

    assert without_data == []
    assert {rule["health"] for rule in rules.values()} == {"ok"}, rules
    assert rules["DeadLetters"]["state"] == "firing"
    assert rules["DeadLetters"]["alerts"][0]["annotations"]["description"].startswith("1 messages could not")
    assert rules.keys() > QUIET
