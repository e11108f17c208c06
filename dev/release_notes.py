"""Print what the changelog says of a release: `release_notes.py v1.2.3`, for the workflow Release.

A tag is refused where it is not the version of the sources, or where the changelog has no section for it.
"""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


class NotReleasableError(Exception):
    """The tag, the version and the changelog do not agree."""


def main() -> None:
    """Do what the command line asks for."""
    if len(sys.argv) != 2:  # noqa: PLR2004  the program and its one argument
        sys.exit("usage: release_notes.py TAG")
    version = runpy.run_path(str(REPOSITORY / "src/checkpoint/version.py"))["VERSION"]
    try:
        notes = release_notes(sys.argv[1], version, (REPOSITORY / "CHANGELOG.md").read_text())
    except NotReleasableError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{notes}\n")


def release_notes(tag: str, version: str, changelog: str) -> str:
    """The text below the heading `## <version> - <YYYY-MM-DD>`, as https://keepachangelog.com has it.

    tag: as `v1.2.3`. version: that of the sources, as `1.2.3`. Raises NotReleasableError.
    """
    if tag != f"v{version}":
        raise NotReleasableError(
            f"The tag is {tag}, and src/checkpoint/version.py says {version}: the tag must be v{version}."
        )
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    wanted = re.compile(rf"\[?{re.escape(version)}\]? - \d{{4}}-\d\d-\d\d\n(.*)", re.DOTALL)
    found = [match[1].strip() for section in sections if (match := wanted.fullmatch(section))]
    if len(found) != 1 or not found[0]:
        raise NotReleasableError(
            f"CHANGELOG.md needs one section `## {version} - <YYYY-MM-DD>` that says something. It has {len(found)}."
        )
    return found[0]


if __name__ == "__main__":
    main()
