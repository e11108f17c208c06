"""Lock: what it writes, and the pull request that it opens with it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from pipelines.workflows import REPOSITORY, run

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.workflows import Answers, Ran

APPS: Final = ("apps/processing_requests/Dockerfile", "apps/message_broker/Dockerfile")
INSPECT: Final = "docker buildx imagetools inspect docker.io/library/python:3.13-slim --format {{.Manifest.Digest}}"
BASE_IMAGE: Final = "lock/lock/Lock the base image"
CHANGES: Final = "lock/lock/Save the changes"
PULL_REQUEST: Final = "lock/pull_request/Open a pull request"
DIGEST: Final = f"sha256:{'a' * 64}"


def git(where: Path, *commands: str) -> list[str]:
    program = shutil.which("git")
    if program is None:
        pytest.skip("There is no git.")
    said = [subprocess.check_output([program, *command.split()], cwd=where, text=True) for command in commands]
    return said[-1].splitlines()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A checkout of some files, without a digest. The repository that it was cloned from is `origin` beside it."""
    for path in (*APPS, "requirements/dev.txt", "terraform/.gitignore"):
        copy = tmp_path / "work" / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(re.sub(r"@sha256:[0-9a-f]{64} AS base", " AS base", (REPOSITORY / path).read_text()))
    git(tmp_path, "init --quiet --bare origin", "init --quiet --initial-branch main work")
    git(tmp_path / "work", "add --all", "-c user.name=x -c user.email=x commit --quiet --message Begin")
    git(tmp_path / "work", "remote add origin ../origin", "push --quiet origin main")
    return tmp_path / "work"


def test_the_digest_of_the_base_image_is_added_the_first_time_and_replaced_later(tmp_path: Path, work: Path) -> None:
    for digest in (DIGEST, DIGEST.replace("aa", "bb")):
        before = [(work / path).read_text() for path in APPS]
        assert run(BASE_IMAGE, tmp_path, {}, {INSPECT: [(0, digest)]}).calls == [INSPECT]
        for path, old in zip(APPS, before, strict=True):
            base = "FROM docker.io/library/python:3.13-slim"
            assert (work / path).read_text() == re.sub(rf"{base}\S*", f"{base}@{digest}", old) != old


@pytest.mark.parametrize(("answer", "other"), [((1, ""), "3.13"), ((0, "sha256:0"), "3.13"), ((0, DIGEST), "3.14")])
def test_a_missing_digest_and_two_base_images_are_errors(
    tmp_path: Path, work: Path, answer: tuple[int, str], other: str
) -> None:
    text = (work / APPS[0]).read_text().replace("python:3.13", f"python:{other}")
    (work / APPS[0]).write_text(text)
    assert run(BASE_IMAGE, tmp_path, {}, {"docker": [answer]}).code == 1
    assert (work / APPS[0]).read_text() == text


def test_requirements_are_locked_by_make_and_providers_once_the_modules_are_there(tmp_path: Path) -> None:
    assert run("lock/lock/Lock the requirements", tmp_path, {}).calls == ["make lock UPGRADE=--upgrade"]
    modules, providers = run("lock/lock/Lock the providers", tmp_path, {}).calls
    assert modules == "terraform -chdir=terraform get"
    assert providers.startswith("terraform -chdir=terraform providers lock -platform=linux_amd64 ")


def open_pull_request(tmp_path: Path, answers: Answers | None = None) -> Ran:
    """Save the changes in one job, and open the pull request in another, which has checked out the old files."""
    changes = {"CHANGES": str(tmp_path / "changes.patch")}
    assert run(CHANGES, tmp_path, changes).code == 0
    shutil.rmtree(tmp_path / "work")
    git(tmp_path, "clone --quiet --branch main origin work")
    return run(PULL_REQUEST, tmp_path, changes | {"GH_TOKEN": "token"}, {"gh pr list": [(0, "0\n")], **(answers or {})})


def test_without_a_change_nothing_is_pushed_and_no_pull_request_is_opened(tmp_path: Path, work: Path) -> None:
    (work / "answer.json").write_text("This is not part of it.")
    ran = open_pull_request(tmp_path)
    assert (ran.code, ran.calls, "no file has changed" in ran.log) == (0, [], True)


def test_what_has_changed_and_nothing_else_is_pushed_tested_and_in_a_pull_request(tmp_path: Path, work: Path) -> None:
    changed = [APPS[1], "requirements/dev.txt", "terraform/.terraform.lock.hcl"]
    for path in [*changed, "answer.json"]:
        (work / path).write_text("new\n")
    ran = open_pull_request(tmp_path)
    assert ran.code == 0, ran.log
    assert git(tmp_path / "origin", "diff --name-only main lock/main") == changed
    assert ran.calls[:2] == ["gh auth setup-git", "gh workflow run ci.yml --ref lock/main"]
    assert ran.calls[-1].startswith("gh pr create --base main --head lock/main ")


def test_an_open_pull_request_is_updated_and_no_second_one_is_opened(tmp_path: Path, work: Path) -> None:
    for content in ("new\n", "newer\n"):
        git(work, "switch --quiet main")
        (work / "requirements/dev.txt").write_text(content)
        ran = open_pull_request(tmp_path, {"gh pr list": [(0, "1\n")]})
        assert (ran.code, ran.of("gh pr create")) == (0, []), ran.log
        assert git(tmp_path / "origin", "show lock/main:requirements/dev.txt") == [content.strip()]


def test_a_change_that_a_package_made_elsewhere_is_left_out(tmp_path: Path, work: Path) -> None:
    (work / "requirements/dev.txt").write_text("new\n")
    (work / ".github/workflows").mkdir(parents=True)
    (work / ".github/workflows/ci.yml").write_text("new\n")
    git(work, "add .github")
    assert open_pull_request(tmp_path).code == 0
    assert git(tmp_path / "origin", "diff --name-only main lock/main") == ["requirements/dev.txt"]


def test_a_pull_request_that_the_settings_refuse_fails_and_names_the_setting(tmp_path: Path, work: Path) -> None:
    (work / "requirements/dev.txt").write_text("new\n")
    ran = open_pull_request(tmp_path, {"gh pr create": [(1, "not permitted\n")]})
    assert (ran.code, "Allow GitHub Actions to create and approve pull requests" in ran.log) == (1, True)
