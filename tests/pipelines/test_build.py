"""Build: <image>:<version of the variable>.<run number>, pushed once, from what CI has found good."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipelines.runner import run_job
from pipelines.workflows import JOBS, REPOSITORY, WORKFLOWS

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.fakes import Rules
    from pipelines.runner import Run

JOB: Final = JOBS["_build/build"]
SERVICES: Final = {
    "processing_requests": "checkpoint-processing_requests",
    "message_broker": "checkpoint-messages_broker",
}
CONTEXT: Final = {
    "inputs.app": "message_broker",
    "inputs.image": "checkpoint-messages_broker",
    "inputs.version": "1.0",
    "github.run_number": "42",
    "github.ref_name": "main",
    "github.event.repository.default_branch": "main",
    "vars.IMAGE_NAMESPACE": "somebody",
    "secrets.DOCKER_USERNAME": "somebody",
    "secrets.DOCKER_PASSWORD": "secret",
}
NEW_TAG: Final[Rules] = {
    "imagetools inspect": [(1, "ERROR: somebody/checkpoint-messages_broker:1.0.42: not found")],
    "git show": [(0, "2026-11-22T14:00:00+00:00\n")],
}


def build(tmp_path: Path, changed: dict[str, str] | None = None, rules: Rules = NEW_TAG) -> Run:
    return run_job(JOB, CONTEXT | (changed or {}), rules, tmp_path)


def the_build(run: Run) -> str:
    [command] = [call for call in run.of("docker") if " build " in call]
    return command


def test_the_tag_is_the_version_of_the_variable_and_the_number_of_the_run(tmp_path: Path) -> None:
    run = build(tmp_path)
    assert run.failed == []
    assert "--tag somebody/checkpoint-messages_broker:1.0.42 " in the_build(run)
    assert "--build-arg VERSION=1.0.42 --build-arg REVISION=0123456789abcdef" in the_build(run)
    assert "1.0.42" in run.summary


def test_it_is_pushed_for_both_architectures_with_provenance_and_what_it_is_made_of(tmp_path: Path) -> None:
    command = the_build(build(tmp_path))
    assert "--file apps/message_broker/Dockerfile" in command
    assert "--platform linux/amd64,linux/arm64 --provenance mode=max --sbom true" in command
    assert command.endswith("--push .")


def test_every_argument_is_one_that_both_dockerfiles_take(tmp_path: Path) -> None:
    given = set(re.findall(r"--build-arg (\w+)=", the_build(build(tmp_path))))
    for app in SERVICES:
        taken = set(re.findall(r"^ARG (\w+)", (REPOSITORY / "apps" / app / "Dockerfile").read_text(), re.MULTILINE))
        assert given <= taken


@pytest.mark.parametrize(("branch", "is_latest"), [("main", True), ("a-branch", False)])
def test_latest_is_what_main_builds_and_no_branch(tmp_path: Path, branch: str, is_latest: bool) -> None:  # noqa: FBT001
    command = the_build(build(tmp_path, {"github.ref_name": branch}))
    assert ("--tag somebody/checkpoint-messages_broker:latest" in command) is is_latest


def test_a_tag_that_exists_is_not_pushed_again(tmp_path: Path) -> None:
    run = build(tmp_path, rules={"imagetools inspect": [(0, "Name: somebody/checkpoint-messages_broker:1.0.42")]})
    assert run.failed == ["Refuse a tag that exists"]
    assert [call for call in run.calls if " build " in call] == []


@pytest.mark.parametrize(
    "said", ["ERROR: toomanyrequests: You have reached your pull rate limit", "ERROR: 503 Service Unavailable", ""]
)
def test_a_registry_that_does_not_say_whether_it_has_the_tag_gets_no_push(tmp_path: Path, said: str) -> None:
    run = build(tmp_path, rules={"imagetools inspect": [(1, said)]})
    assert run.failed == ["Refuse a tag that exists"]
    assert [call for call in run.calls if " build " in call] == []


@pytest.mark.parametrize("said", ["ERROR: …: not found", "the repository does not exist", "MANIFEST_UNKNOWN"])
def test_a_tag_that_the_registry_says_it_has_not_is_pushed(tmp_path: Path, said: str) -> None:
    run = build(tmp_path, rules={"imagetools inspect": [(1, said)]})
    assert run.failed == []
    assert len([call for call in run.calls if " build " in call]) == 1


@pytest.mark.parametrize("version", ["", "latest", "1.0 --push", "v1", "1..0", "1.0\n", "$(id)"])
def test_a_version_that_is_none_is_refused_before_anything_is_done(tmp_path: Path, version: str) -> None:
    run = build(tmp_path, {"inputs.version": version})
    assert run.failed == ["Name the image"]
    assert "MESSAGE_BROKER_VERSION" in run.log
    assert run.of("docker") == []


@pytest.mark.parametrize("namespace", ["", "Somebody", "-somebody", "a b"])
def test_a_namespace_that_is_none_is_refused_before_anything_is_done(tmp_path: Path, namespace: str) -> None:
    run = build(tmp_path, {"vars.IMAGE_NAMESPACE": namespace})
    assert run.failed == ["Name the image"]
    assert "IMAGE_NAMESPACE" in run.log
    assert run.of("docker") == []


def test_the_password_goes_to_the_registry_of_the_settings_by_stdin_alone(tmp_path: Path) -> None:
    run = build(tmp_path)
    assert run.of("docker")[0] == "docker login docker.io --username somebody --password-stdin"
    assert run.given[run.of("docker")[0]] == "secret"
    assert "secret" not in " ".join(run.calls) + run.log


def test_another_registry_is_part_of_the_images_name(tmp_path: Path) -> None:
    run = build(tmp_path, {"vars.REGISTRY": "ghcr.io"})
    assert run.of("docker")[0].startswith("docker login ghcr.io ")
    assert "--tag ghcr.io/somebody/checkpoint-messages_broker:1.0.42 " in the_build(run)


@pytest.mark.parametrize("app", SERVICES)
def test_it_waits_for_all_of_ci_in_the_same_run(app: str) -> None:
    jobs = WORKFLOWS[f"build-{app}"]["jobs"]
    assert jobs["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert jobs["build"]["needs"] == "ci"
    assert "if" not in jobs["build"]  # a condition of one's own could let it run although CI failed


@pytest.mark.parametrize("app", SERVICES)
def test_it_builds_its_own_image_with_its_own_version(app: str) -> None:
    assert WORKFLOWS[f"build-{app}"]["jobs"]["build"]["with"] == {
        "app": app,
        "image": SERVICES[app],
        "version": f"${{{{ vars.{app.upper()}_VERSION }}}}",
    }


def paths(app: str) -> list[str]:
    trigger: dict[str, Any] = WORKFLOWS[f"build-{app}"]["on"]
    assert set(trigger) == {"push", "workflow_dispatch"}
    return list(trigger["push"]["paths"])


@pytest.mark.parametrize("app", SERVICES)
def test_it_starts_by_itself_when_something_changes_that_its_dockerfile_copies(app: str) -> None:
    dockerfile = f"apps/{app}/Dockerfile"
    copied = re.findall(r"^COPY (?!--from)(\S+) ", (REPOSITORY / dockerfile).read_text(), re.MULTILINE)
    assert copied
    for source in [dockerfile, ".dockerignore", *copied]:
        some_file = f"{source}/x.py" if (REPOSITORY / source).is_dir() else source
        assert any(fnmatch(some_file, pattern) for pattern in paths(app)), some_file


@pytest.mark.parametrize("app", SERVICES)
def test_it_does_not_start_for_the_other_service(app: str) -> None:
    [other] = set(SERVICES) - {app}
    assert not any(fnmatch(f"apps/{other}/x.py", pattern) for pattern in paths(app))


@pytest.mark.parametrize("app", SERVICES)
def test_every_path_that_it_watches_exists(app: str) -> None:
    assert [path for path in paths(app) if not (REPOSITORY / path.removesuffix("/**")).exists()] == []
