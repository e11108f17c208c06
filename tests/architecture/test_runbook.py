"""docs/operate.md is about the alerts, the alarms and the metrics that there are."""

from __future__ import annotations

import re
from typing import Final

import pytest
from ruamel.yaml import YAML

from architecture.sources import REPOSITORY

RUNBOOK: Final = (REPOSITORY / "docs" / "operate.md").read_text()
RULES: Final = REPOSITORY / "deploy" / "prometheus" / "checkpoint.rules.yml"
SECTIONS: Final = dict(
    re.findall(
        r"^## (\w+)\n(.*?)(?=^## |\Z)",
        RUNBOOK.partition("\n# The alerts\n")[2].partition("\n# ")[0],
        re.MULTILINE | re.DOTALL,
    )
)
TERRAFORM: Final = "\n".join(path.read_text() for path in sorted((REPOSITORY / "terraform").glob("*.tf")))


def test_there_is_no_section_of_an_alert_that_is_gone() -> None:
    rules = [rule for group in YAML(typ="safe").load(RULES)["groups"] for rule in group["rules"]]
    assert set(SECTIONS) == {rule["alert"] for rule in rules}


@pytest.mark.parametrize("alert", SECTIONS)
def test_a_section_says_what_it_means_where_to_look_what_to_do_and_when_it_is_over(alert: str) -> None:
    bold = " ".join(re.findall(r"\*\*(.*?)\*\*", SECTIONS[alert], re.DOTALL)).lower()
    assert [word for word in ("means", "look", "do", "over when") if not re.search(rf"\b{word}\b", bold)] == []


def test_each_alarm_of_terraform_is_named_with_a_section() -> None:
    alarms = re.findall(r'alarm_name += "\$\{var\.(\w+)\}(.*?)"', TERRAFORM)
    assert len(alarms) >= 2
    for variable, rest in alarms:
        block = TERRAFORM.partition(f'variable "{variable}" {{')[2].partition("\n}\n")[0]
        [default] = re.findall(r'^  default += "(.*)"$', block, re.MULTILINE)
        assert re.search(rf"^\| `{default}{rest}` \| \[\w+\]\(#", RUNBOOK, re.MULTILINE), default + rest


def test_every_metric_that_it_names_is_one_of_the_services() -> None:
    apps = [REPOSITORY / "apps" / app / "README.md" for app in ("processing_requests", "message_broker")]
    known = {name for app in apps for name in re.findall(r"^\| `(checkpoint_\w+)", app.read_text(), re.MULTILINE)}
    named = set(re.findall(r"\bcheckpoint_[a-z_]+[a-z]\b", RUNBOOK))
    assert len(named) > 10
    assert named - known == set()
