"""A copy of the sources with a defect in it, and the environment that makes Python take it for the sources."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

from architecture.sources import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from planted_defects.defects import Edit

_SOURCES: Final = ("apps", "src", "tests")


def plant(edits: tuple[Edit, ...], directory: Path) -> dict[str, str]:
    """Copy the sources into a directory and edit the copy; gives the environment in which Python imports it.

    Raises ValueError where the text to replace does not stand in its file exactly once: the sources have changed, and
    the defect has to be written anew.
    """
    for folder in _SOURCES:
        shutil.copytree(REPOSITORY / folder, directory / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for edit in edits:
        path = directory / edit.file
        text = path.read_text()
        if text.count(edit.old) != 1:
            raise ValueError(f"{edit.file} does not hold exactly once: {edit.old!r}")
        path.write_text(text.replace(edit.old, edit.new))
    folders = (directory / "src", directory / "apps", directory / "tests")
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
