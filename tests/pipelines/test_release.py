"""Release: a tag that agrees with the sources and the changelog, and what is published of it, in which order."""

from __future__ import annotations

import runpy
import shutil
from typing import TYPE_CHECKING, Final

import pytest

from checkpoint.version import VERSION
from pipelines.workflows import JOBS, REPOSITORY, STEPS, WORKFLOWS, run

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.workflows import Ran

CHECK: Final = "release/check/Compare the tag with the version and the changelog"
PROGRAMS: Final = "release/distribution/Run the programs of the wheel"
PUBLISH: Final = "release/github/Create the release with its notes"
NOTES: Final = "### Added\n- `checkpoint`, with [a link](docs/operate.md).\n\n### Fixed\n- ## is no heading here."
HEADING: Final = f"## {VERSION} - 2026-11-23"
CHANGELOG: Final = f"# Changelog\n\n## Unreleased\n\n{HEADING}\n\n{NOTES}\n\n## 0.0.1 - 2026-01-01\n- First.\n"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A checkout of the files that the workflow reads, with a changelog that has the version's section."""
    for path in ("dev/release_notes.py", "src/checkpoint/version.py"):
        (tmp_path / "work" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / path, tmp_path / "work" / path)
    (tmp_path / "work" / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path / "work"


def check(folder: Path, tag: str) -> Ran:
    return run(CHECK, folder, {"TAG": tag})


@pytest.mark.usefixtures("work")
def test_a_tag_that_agrees_with_version_and_changelog_gives_the_version(tmp_path: Path) -> None:
    ran = check(tmp_path, f"v{VERSION}")
    assert (ran.code, ran.outputs, ran.log) == (0, {"version": VERSION}, "")


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize("tag", [VERSION, f"v{VERSION}.1", f"v{VERSION}rc1", "v99.0.0", "$(id)"])
def test_a_tag_of_another_version_is_refused_with_what_it_should_be(tmp_path: Path, tag: str) -> None:
    ran = check(tmp_path, tag)
    assert (ran.code, ran.outputs) == (1, {})
    assert f"::error::The tag is {tag}, and src/checkpoint/version.py says {VERSION}" in ran.log
    assert f"must be v{VERSION}." in ran.log


@pytest.mark.parametrize(
    "changelog",
    [
        CHANGELOG.replace(HEADING, "## 0.0.2 - 2026-11-23"),
        CHANGELOG.replace(HEADING, f"## {VERSION}"),
        CHANGELOG.replace(VERSION, VERSION.replace(".", "x")),
        CHANGELOG.replace(NOTES, ""),
        CHANGELOG + CHANGELOG,
        "",
    ],
    ids=["another version", "no date", "a dot is a dot", "says nothing", "twice", "empty"],
)
def test_a_version_without_its_section_in_the_changelog_is_refused(tmp_path: Path, work: Path, changelog: str) -> None:
    (work / "CHANGELOG.md").write_text(changelog)
    ran = check(tmp_path, f"v{VERSION}")
    assert (ran.code, ran.outputs) == (1, {})
    assert f"::error::CHANGELOG.md needs one section `## {VERSION} - <YYYY-MM-DD>`" in ran.log


def test_the_notes_are_the_versions_section_and_nothing_of_its_neighbours() -> None:
    release_notes = runpy.run_path(str(REPOSITORY / "dev" / "release_notes.py"))["release_notes"]
    assert release_notes(f"v{VERSION}", VERSION, CHANGELOG) == NOTES
    assert release_notes("v0.0.1", "0.0.1", CHANGELOG) == "- First."
    assert release_notes("v0.0.1", "0.0.1", CHANGELOG.replace("## 0.0.1", "## [0.0.1]")) == "- First."


@pytest.mark.parametrize("wrong", [None, "processing_requests", "message_broker", "checkpoint"])
def test_a_wheel_whose_programs_are_of_another_version_is_not_published(
    tmp_path: Path, work: Path, wrong: str | None
) -> None:
    for program in ("pip", "processing_requests", "message_broker", "checkpoint"):
        said = "0.0.9" if program == wrong else VERSION
        fake = work / ".venv" / "bin" / program
        fake.parent.mkdir(parents=True, exist_ok=True)
        fake.write_text(f"#!/bin/sh\necho {program} {said}\n")
        fake.chmod(0o755)
    ran = run(PROGRAMS, tmp_path, {"VERSION": VERSION})
    assert ran.code == (wrong is not None)
    assert (f"::error::{wrong} of the wheel says that it is {wrong} 0.0.9, and not {VERSION}" in ran.log) is bool(wrong)


def test_the_release_on_github_has_the_notes_and_the_files_that_were_published(tmp_path: Path, work: Path) -> None:
    for name in ("a.tar.gz", "a.whl"):
        (work / "dist").mkdir(exist_ok=True)
        (work / "dist" / name).touch()
    ran = run(PUBLISH, tmp_path, {"GH_TOKEN": "token", "TAG": f"v{VERSION}"})
    [created] = ran.calls
    assert created.startswith(f"gh release create v{VERSION} --verify-tag --title Checkpoint {VERSION} ")
    assert created.endswith(f" --notes-file {tmp_path}/notes.md dist/a.tar.gz dist/a.whl")
    assert (tmp_path / "notes.md").read_text() == f"{NOTES}\n"


def test_nothing_is_published_before_the_tag_is_checked_ci_has_passed_and_both_images_are_there() -> None:
    jobs = WORKFLOWS["release"]["jobs"]
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "check": None,
        "distribution": "check",
        "images": "check",  # _build waits for CI
        "pypi": ["check", "distribution", "images"],
        "github": "pypi",
    }
    assert jobs["images"]["uses"] == "./.github/workflows/_build.yml"
    assert WORKFLOWS["release"]["on"] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}
    assert WORKFLOWS["release"]["concurrency"]["cancel-in-progress"] is False


def test_each_job_has_the_rights_that_it_needs_and_only_pypis_may_name_itself_to_others() -> None:
    assert {name: job["permissions"] for name, job in WORKFLOWS["release"]["jobs"].items()} == {
        "check": {"contents": "read"},
        "distribution": {"contents": "read"},
        "images": {"actions": "read", "contents": "read"},
        "pypi": {"id-token": "write"},
        "github": {"contents": "write"},
    }
    pypi = JOBS["release/pypi"]
    assert pypi["environment"]["name"] == "pypi"
    assert [step["uses"].partition("@")[0] for step in pypi["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",  # nothing of the checkout runs beside the right to publish
    ]
    assert pypi["steps"][-1]["with"] == {"packages-dir": "dist/", "attestations": True}


def test_a_release_pushes_the_images_that_builds_push_under_its_own_tag() -> None:
    released = {each["app"]: each["image"] for each in JOBS["release/images"]["strategy"]["matrix"]["include"]}
    built = [JOBS[f"build-{app}/build"]["with"] for app in ("processing_requests", "message_broker")]
    assert released == {each["app"]: each["image"] for each in built}
    assert JOBS["release/images"]["with"]["release"] is True
    assert not any("release" in each for each in built)
    assert STEPS["_build/build/Name the image"]["env"]["RELEASE"] == "${{ inputs.release }}"
