"""The files of the source code."""

from __future__ import annotations

from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
# Each has an image. The third program, the command line, has none.
SERVICES: Final = ("processing_requests", "message_broker")
APPS: Final = (*SERVICES, "command_line")
ROOTS: Final = (*(REPOSITORY / "apps" / app for app in APPS), REPOSITORY / "src" / "checkpoint")
MODULES: Final = sorted(path for root in ROOTS for path in root.rglob("*.py"))


def module_name(path: Path) -> str:
    """The name under which a file is imported."""
    root = next(root for root in ROOTS if path.is_relative_to(root))
    return ".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")
