"""The wheel that `pip install .` makes: what is in it, and what it says about itself."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.metadata import Metadata

from architecture.sources import MODULES, REPOSITORY, ROOTS, SERVICES
from checkpoint.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

VENDORED = "apps/processing_requests/docs/swagger_ui"
METADATA = f"checkpoint_emails-{VERSION}.dist-info"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target=wheel", f"--directory={directory}"]
    subprocess.run(build, cwd=REPOSITORY, capture_output=True, check=True)
    [built] = directory.iterdir()
    with zipfile.ZipFile(built) as opened:
        yield opened


def test_it_holds_every_module_and_every_file_that_one_reads_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    modules = {
        path.relative_to(root.parent).as_posix() for root in ROOTS for path in MODULES if path.is_relative_to(root)
    }
    packed = {name for name in wheel.namelist() if not name.startswith(f"{METADATA}/")}
    docs = REPOSITORY / "apps/processing_requests/docs"
    read = {
        path.relative_to(docs.parents[1]).as_posix()
        for path in docs.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {Path(name).suffix for name in read} == {".css", ".gz", ".js", ".json", ".py", ".txt", ""}
    assert packed == modules | read | {"checkpoint/py.typed"}


def test_it_has_a_console_script_for_each_program(wheel: zipfile.ZipFile) -> None:
    lines = wheel.read(f"{METADATA}/entry_points.txt").decode().splitlines()
    scripts = lines[lines.index("[console_scripts]") + 1 :]
    named = {f"{service} = {service}.__main__:main" for service in SERVICES}
    assert named | {"checkpoint = command_line.__main__:main"} <= set(scripts)


def test_its_metadata_is_valid_has_the_licence_and_no_link_that_leads_nowhere_on_an_index(
    wheel: zipfile.ZipFile,
) -> None:
    metadata = Metadata.from_email(wheel.read(f"{METADATA}/METADATA"), validate=True)
    assert (metadata.name, metadata.license_expression, metadata.license_files) == (
        "checkpoint-emails",
        "MIT AND Apache-2.0",
        ["LICENSE", *(f"{VENDORED}/{name}" for name in ("LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"))],
    )
    for name in metadata.license_files or ():
        assert f"{METADATA}/licenses/{name}" in wheel.namelist()
    assert metadata.description
    assert "](" in metadata.description
    assert metadata.description.count("](") == metadata.description.count("](https://")
