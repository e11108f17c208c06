"""The alerts of deploy/prometheus, and the metrics that they and the dashboard name."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from architecture.sources import REPOSITORY, SERVICES

PROMETHEUS: Final = REPOSITORY / "deploy/prometheus"
DASHBOARD: Final = REPOSITORY / "deploy/grafana/dashboards/checkpoint.json"
RUNBOOK: Final = REPOSITORY / "docs/operate.md"
RUNBOOK_URL: Final = "https://github.com/jcohenp/checkpoint-assignment/blob/main/docs/operate.md"


def read(name: str) -> Any:
    return YAML(typ="safe").load(PROMETHEUS / name)


RULES: Final[list[dict[str, Any]]] = [
    rule for group in read("checkpoint.rules.yml")["groups"] for rule in group["rules"]
]
ALERTS: Final = {rule["alert"]: rule for rule in RULES}
with_promtool: Final = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool, of Prometheus, is not there")


def promtool(*arguments: str) -> tuple[int, str]:
    ended = subprocess.run(
        ["promtool", *arguments],  # noqa: S607  Prometheus is installed in many places
        cwd=PROMETHEUS,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


@with_promtool
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "--lint=all", "--lint-fatal", "checkpoint.rules.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "checkpoint.test.yml"),
    ],
    ids=["rules", "configuration", "unit_tests"],
)
def test_promtool_finds_nothing_wrong(arguments: tuple[str, ...]) -> None:
    code, said = promtool(*arguments)
    assert code == 0, said
    assert "SUCCESS" in said


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_bad_it_is_what_happened_and_where_to_read_on(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"})
    annotations = rule["annotations"]
    assert annotations["summary"]
    assert annotations["description"].endswith((".", "dead-letters list."))
    assert annotations["runbook_url"] == f"{RUNBOOK_URL}#{alert.lower()}"


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_unit_tests_for_when_it_fires_and_when_not(alert: str) -> None:
    checked = [
        bool(check["exp_samples"])
        for test in read("checkpoint.test.yml")["tests"]
        for check in test.get("promql_expr_test", [])
        if f'alertname="{alert}"' in check["expr"]
    ]
    assert set(checked) == {True, False}


def test_the_table_of_alerts_is_that_of_the_rules() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", (PROMETHEUS / "README.md").read_text(), re.MULTILINE)
    assert rows == [(alert, rule["labels"]["severity"]) for alert, rule in ALERTS.items()]


@pytest.mark.skipif(not RUNBOOK.exists(), reason="docs/operate.md is not there yet")
@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_its_section_in_the_runbook(alert: str) -> None:
    assert re.search(rf"^## {alert}$", RUNBOOK.read_text(), re.MULTILINE)


def expressions() -> list[str]:
    """Of the rules, and of the dashboard."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    return [*(rule["expr"] for rule in RULES), *queries]


def test_every_metric_that_a_rule_or_the_dashboard_names_is_one_of_the_services() -> None:
    known = {
        name
        for app in SERVICES
        for name in re.findall(
            r"^\| `(checkpoint_\w+)", (REPOSITORY / "apps" / app / "README.md").read_text(), re.MULTILINE
        )
    }
    known |= {f"{name}{part}" for name in known for part in ("_bucket", "_count", "_sum")}
    named = {name for expression in expressions() for name in re.findall(r"\bcheckpoint_\w+", expression)}
    assert len(named) > 20
    assert named - known == set()


def test_panels_of_the_dashboard_have_names_of_their_own_and_overlap_nowhere() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + right, place["y"] + down) for right in range(place["w"]) for down in range(place["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or panel["description"]


@pytest.mark.parametrize("folder", ["datasources", "dashboards"])
def test_what_grafana_is_provisioned_with_is_yaml_of_its_version(folder: str) -> None:
    [path] = (REPOSITORY / "deploy/grafana/provisioning" / folder).iterdir()
    assert YAML(typ="safe").load(path)["apiVersion"] == 1
