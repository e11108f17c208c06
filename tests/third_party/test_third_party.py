"""A package of somebody else's adds a queue and an archive by the steps of CONTRIBUTING.md, with no change here."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from e2e.marked import body, marked
from e2e.posting import post_email
from e2e.services import Services
from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY: Final = Path(__file__).parents[2]
PACKAGE: Final = Path(__file__).parent / "package"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's own project, outside of this repository."""
    copy = tmp_path_factory.mktemp("project") / "checkpoint-onefile"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return copy


@pytest.fixture(scope="module")
def installed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory where the package is installed."""
    directory = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(directory), str(project)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return directory


@pytest.fixture
def urls(tmp_path: Path) -> dict[str, str]:
    return {"QUEUE_URL": f"onefile://{tmp_path}/queue.json", "ARCHIVE_URL": f"onefile://{tmp_path}/archive.db"}


@pytest.fixture
def services(installed: Path, urls: dict[str, str], tmp_path: Path) -> Iterator[Services]:
    started = Services({"PYTHONPATH": str(installed)} | urls, tmp_path)
    try:
        yield started
    finally:
        started.kill_all()


def test_it_passes_the_contract(installed: Path, project: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", "test_contract.py"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    summary = re.search(r"=+ (\d+) passed, \d+ skipped in [^,]*=+\n$", ended.stdout)
    assert summary, ended.stdout
    assert int(summary[1]) >= 49
    skipped = [line for line in ended.stdout.splitlines() if line.startswith("SKIPPED")]
    assert [line for line in skipped if "no place for a traceparent, which a queue need not have" not in line] == []


def test_both_programs_run_on_it(services: Services, tmp_path: Path) -> None:
    intake = services.intake()
    services.broker()

    assert post_email(intake.port, marked(1)).status == 200

    def objects() -> list[tuple[bytes]]:
        with closing(sqlite3.connect(tmp_path / "archive.db")) as connection:
            return connection.execute("SELECT body FROM objects").fetchall()

    def messages() -> list[object]:
        found: list[object] = json.loads((tmp_path / "queue.json").read_text())["messages"]
        return found

    until(lambda: (tmp_path / "archive.db").exists() and not messages(), "the message is off the queue")
    assert objects() == [(body(marked(1)),)]


@pytest.mark.parametrize("program", ["processing_requests", "message_broker"])
def test_where_it_is_not_installed_its_scheme_is_refused_by_name(
    program: str, urls: dict[str, str], tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", program],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PRIVATE_PORT": "0", "PORT": "0"} | urls,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 1
    said = ended.stderr.splitlines()
    assert said[0] == f"{program} cannot start: QUEUE_URL: the scheme must be one of sqlite, https, http."
    if program == "message_broker":
        assert said[1:] == ["ARCHIVE_URL: the scheme must be one of file, s3, gs, az."]


def test_its_files_are_those_that_the_guide_lists_and_it_installs_nothing_of_ours(installed: Path) -> None:
    section = (REPOSITORY / "CONTRIBUTING.md").read_text().split("## Adding a queue or an archive\n")[1]
    listed = re.findall(r"^    ([\w/]+\.\w+)(?: {2,}.*)?$", section.split("\n1. ")[0], re.MULTILINE)
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sorted(listed) == sorted(str(path.relative_to(PACKAGE)) for path in files)

    [record] = installed.glob("*.dist-info/RECORD")
    with record.open() as rows:
        installs = {Path(row[0]).parts[0] for row in csv.reader(rows)}
    assert installs == {"checkpoint_onefile", record.parent.name}
