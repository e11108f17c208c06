"""Build: one image with one tag, from a commit that CI has passed on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

import pytest

from pipelines.workflows import JOBS, REPOSITORY, WORKFLOWS, run

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.workflows import Ran

APPS: Final = ("processing_requests", "message_broker")
MISSING, RUNNING, PASSED = (0, "missing\n"), (0, "in_progress - URL\n"), (0, "completed success URL\n")
NO_ANSWER = (1, "gh: HTTP 502\n")


def wait(folder: Path, answers: list[tuple[int, str]], minutes: int = 1) -> Ran:
    """Run the wait for CI, on a clock that moves by some minutes per query."""
    clock = [(0, str(1_700_000_000 + look * minutes * 60)) for look in range(20)]
    return run("_build/ci/Wait for CI", folder, {"GH_TOKEN": "token"}, {"gh api": answers, "date +%s": clock})


def dockerfile(app: str) -> str:
    return (REPOSITORY / "apps" / app / "Dockerfile").read_text()


@pytest.mark.parametrize(
    ("answers", "minutes", "looks", "said"),
    [
        ([MISSING, NO_ANSWER, RUNNING, PASSED], 1, 4, "CI has passed: URL"),
        ([RUNNING, (0, "completed failure URL\n"), PASSED], 1, 2, "::error::CI on 0123 ended with failure: URL"),
        ([(0, "completed cancelled URL\n")], 1, 1, "::error::CI on 0123 ended with cancelled: URL"),
        ([MISSING], 1, 6, "::error::CI has not run on 0123: run the workflow CI on this branch"),
        ([RUNNING], 10, 6, "::error::After an hour, CI on 0123 is still in_progress"),
        ([(1, "gh: Not Found (HTTP 404)\n")], 1, 1, "::error::GitHub does not let this workflow ask how CI ended."),
        ([NO_ANSWER], 10, 6, "::error::After an hour, CI on 0123 is still unknown, because GitHub does not answer"),
    ],
)
def test_an_image_is_built_when_ci_has_passed_and_every_other_result_is_an_error(
    tmp_path: Path, answers: list[tuple[int, str]], minutes: int, looks: int, said: str
) -> None:
    ran = wait(tmp_path, answers, minutes)
    assert (ran.code, len(ran.of("gh "))) == (int(said.startswith("::error::")), looks)
    assert said in ran.log
    assert "somebody/checkpoint/actions/workflows/ci.yml/runs?head_sha=0123&" in ran.of("gh ")[0]


@pytest.mark.parametrize(
    ("runs", "newest"),
    [
        ([], "missing"),
        ([("pull_request", 3, "success"), ("pull_request_review", 4, "success")], "missing"),
        ([("pull_request", 3, "success"), ("push", 2, "failure")], "completed failure URL"),
        ([("push", 1, "success"), ("workflow_dispatch", 2, "failure")], "completed failure URL"),
        ([("workflow_dispatch", 2, "success"), ("push", 1, None)], "completed success URL"),
    ],
)
def test_the_ci_that_counts_is_the_newest_run_that_no_pull_request_brought(
    tmp_path: Path, runs: list[tuple[str, int, str]], newest: str
) -> None:
    if (jq := shutil.which("jq")) is None:
        pytest.skip("There is no jq; gh has one of its own.")
    keys = ("event", "run_number", "conclusion")
    listed = [dict(zip(keys, each, strict=True)) | {"status": "completed", "html_url": "URL"} for each in runs]
    query = wait(tmp_path, [PASSED]).of("gh ")[0].partition(" --jq ")[2]
    said = subprocess.check_output([jq, "--raw-output", query], input=json.dumps({"workflow_runs": listed}), text=True)
    assert said == f"{newest}\n"


def test_ci_is_waited_for_longer_than_it_may_take_and_the_image_is_built_after_it() -> None:
    longest = max(job["timeout-minutes"] for job in WORKFLOWS["ci"]["jobs"].values())
    assert JOBS["_build/ci"]["timeout-minutes"] > 60 > longest
    assert (JOBS["_build/build"]["needs"], JOBS["_build/build"].get("if")) == ("ci", None)


def test_one_tag_is_pushed_for_both_architectures_with_provenance_and_what_it_is_made_of(tmp_path: Path) -> None:
    settings = {"APP": "message_broker", "IMAGE": "somebody/an-image", "REGISTRY": "docker.io", "TAG": "1.0.42"}
    ran = run("_build/build/Build, tag and push", tmp_path, settings, {"git show": [(0, "2026-11-22T14:00:00Z\n")]})
    [command] = ran.of("docker ")
    assert command.startswith("docker buildx build --file apps/message_broker/Dockerfile ")
    assert "--platform linux/amd64,linux/arm64 --provenance mode=max --sbom true" in command
    assert re.findall(r"--tag (\S+)", command) == ["somebody/an-image:1.0.42"]
    assert (ran.code, command[-8:]) == (0, "--push .")
    given = dict(re.findall(r"--build-arg (\w+)=(\S+)", command))
    assert (given["VERSION"], given["REVISION"]) == ("1.0.42", "0123")
    released = run("_build/build/Build, tag and push", tmp_path, settings | {"TAG": "v1.0.42"})
    assert "--build-arg VERSION=1.0.42 " in released.of("docker ")[0]
    assert "--tag somebody/an-image:v1.0.42 " in released.of("docker ")[0]
    for app in APPS:
        assert set(given) == set(re.findall(r"^ARG (\w+)=unknown$", dockerfile(app), re.MULTILINE))


@pytest.mark.parametrize(("app", "other"), [APPS, APPS[::-1]])
def test_a_build_starts_by_itself_when_something_changes_that_its_dockerfile_copies(app: str, other: str) -> None:
    paths = WORKFLOWS[f"build-{app}"]["on"]["push"]["paths"]
    copied = re.findall(r"^COPY (?!--from)(\S+) ", dockerfile(app), re.MULTILINE)
    for source in [f"apps/{app}/Dockerfile", ".dockerignore", *copied]:
        some_file = f"{source}/x.py" if (REPOSITORY / source).is_dir() else source
        assert any(fnmatch(some_file, path) for path in paths), some_file
    assert not any(fnmatch(f"apps/{other}/x.py", path) for path in paths)
    assert [path for path in paths if not (REPOSITORY / path.removesuffix("/**")).exists()] == []
