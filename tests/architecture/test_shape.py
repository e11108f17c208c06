"""Rules of readable code that can be counted."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

import pytest

from architecture.sources import APPS, MODULES, REPOSITORY, module_name

if TYPE_CHECKING:
    from pathlib import Path


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_package_files_are_empty_because_the_import_rules_miss_imports_in_them() -> None:
    packages = [path for path in MODULES if path.name == "__init__.py"]
    assert len(packages) >= 3
    assert [module_name(path) for path in packages if path.read_text()] == []


def test_every_folder_of_code_is_a_package() -> None:
    assert {path.parent for path in MODULES} == {path.parent for path in MODULES if path.name == "__init__.py"}


@pytest.mark.parametrize("app", APPS)
def test_the_main_module_of_a_program_is_short(app: str) -> None:
    assert lines(REPOSITORY / "apps" / app / "__main__.py") <= 40


def test_no_module_is_long() -> None:
    long = {module_name(path): lines(path) for path in MODULES if lines(path) > 250}
    assert long == {}


def test_the_port_of_a_queue_imports_the_standard_library_only() -> None:
    tree = ast.parse((REPOSITORY / "src/checkpoint/message_queue/port.py").read_text())
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or "."] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    assert imported
    assert imported <= sys.stdlib_module_names
