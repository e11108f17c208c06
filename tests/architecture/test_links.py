"""Links in Markdown files lead to files and headings that are there."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import pytest

from architecture.sources import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

PAGES: Final = sorted(
    REPOSITORY / name
    for name in subprocess.check_output(["git", "ls-files", "*.md"], cwd=REPOSITORY, text=True).splitlines()  # noqa: S607
)


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
