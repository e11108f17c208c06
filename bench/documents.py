"""Markdown tables, and their place in a document: `python bench/documents.py FILE NAME < text` puts text there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(titles: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table; all columns but the first are of figures."""
    rule = ["---", *(["---:"] * (len(titles) - 1))]
    return "\n".join(f"| {' | '.join(each)} |" for each in [titles, rule, *lines])


def into(document: Path, name: str, text: str) -> None:
    """Put text between the lines `<!-- name -->` and `<!-- /name -->`. Exits where they are missing."""
    between = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    before = document.read_text()
    if not between.search(before):
        sys.exit(f"{document} has no lines <!-- {name} --> and <!-- /{name} -->.")
    document.write_text(between.sub(lambda _: f"\n{text}\n", before))


if __name__ == "__main__":
    into(Path(sys.argv[1]), sys.argv[2], f"```text\n{sys.stdin.read().strip()}\n```\n")
