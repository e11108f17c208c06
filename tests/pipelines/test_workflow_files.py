"""What every workflow has in common."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.workflows import CALLED, FILES, JOBS, REPOSITORY, SCRIPTS, STEPS, WORKFLOWS


def tool(name: str, *arguments: str | Path, given: str = "") -> None:
    """Run a program of the virtual environment; fails with what it says."""
    command = [str(Path(sys.executable).parent / name), *map(str, arguments)]
    done = subprocess.run(command, cwd=REPOSITORY, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(done.stdout + done.stderr)


def test_there_are_workflows() -> None:
    assert {"ci", "build-processing_requests", "deploy-message_broker"} <= set(WORKFLOWS)


def test_they_are_what_github_reads() -> None:
    tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *FILES)


def test_nothing_in_them_can_be_turned_against_the_repository() -> None:
    tool("zizmor", "--offline", "--quiet", "--persona", "pedantic", "--strict-collection", ".github")


@pytest.mark.parametrize("where", SCRIPTS)
def test_every_script_is_bash_without_a_fault_that_shellcheck_knows(where: str) -> None:
    bash = shutil.which("bash")
    assert bash
    subprocess.run([bash, "-n", "-c", SCRIPTS[where]], check=True)
    tool("shellcheck", "--shell", "bash", "-", given=SCRIPTS[where])


@pytest.mark.parametrize("where", SCRIPTS)
def test_every_script_stops_at_its_first_fault(where: str) -> None:
    assert SCRIPTS[where].startswith("set -euo pipefail\n")


@pytest.mark.parametrize("where", SCRIPTS)
def test_what_comes_from_outside_reaches_a_script_as_a_variable_and_never_as_its_text(where: str) -> None:
    assert "${{" not in SCRIPTS[where]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_grants_nothing_and_each_job_grants_what_it_needs(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {}
    assert [key for key, job in WORKFLOWS[name]["jobs"].items() if "permissions" not in job] == []


def test_a_job_may_read_the_repository_or_prove_who_it_is_and_nothing_else() -> None:
    granted = {(right, how) for job in JOBS.values() for right, how in job["permissions"].items()}
    assert granted == {("contents", "read"), ("id-token", "write")}


@pytest.mark.parametrize("where", [where for where in JOBS if where not in CALLED])
def test_every_job_ends_at_some_time(where: str) -> None:
    assert JOBS[where]["timeout-minutes"] <= 60


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.name))
def test_every_action_is_pinned_to_a_commit_and_says_of_which_version(path: Path) -> None:
    uses = re.findall(r"uses: (.*)", path.read_text())
    outside = [what for what in uses if not what.startswith("./")]
    assert [what for what in outside if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", what)] == []


def test_one_action_has_one_version() -> None:
    pins = {step["uses"] for _, step in STEPS if "uses" in step}
    assert len(pins) == len({pin.split("@")[0] for pin in pins})


@pytest.mark.parametrize(("where", "step"), [row for row in STEPS if "checkout" in row[1].get("uses", "")])
def test_no_checkout_leaves_its_credentials_behind(where: str, step: dict[str, Any]) -> None:
    assert step["with"] == {"persist-credentials": False}, where


@pytest.mark.parametrize("where", CALLED)
def test_what_is_called_exists_and_is_given_what_it_asks_for(where: str) -> None:
    called = WORKFLOWS[Path(CALLED[where]).stem]
    asked = called["on"]["workflow_call"] or {}
    assert set(JOBS[where].get("with", {})) == set(asked.get("inputs", {}))
    assert set(JOBS[where].get("secrets", {})) == set(asked.get("secrets", {}))
    needed = {right for job in called["jobs"].values() for right in job["permissions"]}
    assert set(JOBS[where]["permissions"]) == needed
