"""Links in Markdown files lead to files and headings that are there, and each alert to its section of the runbook."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import pytest
from ruamel.yaml import YAML

from architecture.sources import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

PAGES: Final = sorted(
    REPOSITORY / name
    for name in subprocess.check_output(["git", "ls-files", "*.md"], cwd=REPOSITORY, text=True).splitlines()  # noqa: S607
)
RUNBOOK: Final = REPOSITORY / "docs" / "operate.md"
RULES: Final = REPOSITORY / "deploy" / "prometheus" / "checkpoint.rules.yml"


def text(page: Path) -> str:
    """Without what is code: a link or a heading there is none."""
    return re.sub(r"^ *(`{3,}).*?^ *\1|^(?: {4}|\t).*?$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@cache
def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_leads_to_a_file_and_a_heading_that_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        leads_to = (page.parent / path).resolve() if path else page
        assert leads_to.exists(), target
        assert not anchor or anchor in headings(leads_to), target


def sections() -> dict[str, str]:
    """Those of the runbook that are about an alert, by its name."""
    alerts = RUNBOOK.read_text().partition("\n# The alerts\n")[2].partition("\n# ")[0]
    return dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", alerts, re.MULTILINE | re.DOTALL))


def test_each_alert_has_its_section_and_leads_to_it() -> None:
    groups = YAML(typ="safe").load(RULES)["groups"]
    alerts = {rule["alert"]: rule["annotations"]["runbook_url"] for group in groups for rule in group["rules"]}
    assert list(sections()) == sorted(alerts, key=list(sections()).index)
    for name, url in alerts.items():
        assert url.endswith(f"/blob/main/docs/operate.md#{name.lower()}")


@pytest.mark.parametrize("alert", sections())
def test_a_section_says_what_it_means_where_to_look_what_to_do_and_when_it_is_over(alert: str) -> None:
    bold = " ".join(re.findall(r"\*\*(.*?)\*\*", sections()[alert], re.DOTALL)).lower()
    assert [word for word in ("means", "look", "do", "over when") if not re.search(rf"\b{word}\b", bold)] == []
