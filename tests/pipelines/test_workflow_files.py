"""Rules for every workflow: the linters' rules, and our own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipelines.workflows import FILES, JOBS, REPOSITORY, SCRIPTS, STEPS, WORKFLOWS

BIN = Path(sys.executable).parent
CALLED = {where: job["uses"] for where, job in JOBS.items() if "uses" in job}


@pytest.mark.parametrize(
    "command",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, FILES)],
        ["check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml"],
        # Expressions, contexts, inputs, the rights that a call needs, and each script.
        ["actionlint", "-shellcheck", str(BIN / "shellcheck"), "-pyflakes", "", *map(str, FILES)],
        # Security.
        ["zizmor", "--offline", "--quiet", "--persona", "pedantic", "--strict-collection", ".github"],
    ],
    ids=["workflows", "dependabot", "actionlint", "zizmor"],
)
def test_no_linter_finds_anything(command: list[str]) -> None:
    command[0] = str(BIN / command[0])
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_script_stops_at_its_first_error_and_every_job_has_a_timeout() -> None:
    assert [where for where, script in SCRIPTS.items() if not script.startswith("set -euo pipefail\n")] == []
    assert [where for where in JOBS if where not in CALLED and "timeout-minutes" not in JOBS[where]] == []


def test_a_workflow_grants_nothing_by_itself_and_only_lock_and_a_release_may_write_to_the_repository() -> None:
    assert [name for name, workflow in WORKFLOWS.items() if workflow["permissions"] != {}] == []
    writing = [(at, right) for at, job in JOBS.items() for right, how in job["permissions"].items() if how == "write"]
    assert {where for where, right in writing if right != "id-token"} == {"lock/pull_request", "release/github"}


def test_ci_runs_on_every_push_to_main_for_builds_wait_for_it() -> None:
    assert WORKFLOWS["ci"]["on"]["push"] == {"branches": ["main"]}


def test_everything_that_is_pinned_is_offered_newer_versions() -> None:
    updates = YAML(typ="safe").load(REPOSITORY / ".github" / "dependabot.yml")["updates"]
    watched = {
        (each["package-ecosystem"], where)
        for each in updates
        for where in each.get("directories", [each.get("directory")])
    }
    apps = {("docker", f"/{path.parent.relative_to(REPOSITORY)}") for path in REPOSITORY.glob("apps/*/Dockerfile")}
    assert watched == apps | {
        ("docker-compose", "/"),
        ("github-actions", "/"),
        ("pip", "/"),
        ("terraform", "/terraform"),
    }


def test_every_action_says_of_which_version_it_is_and_has_one_version_everywhere() -> None:
    uses = re.findall(r"uses: ([^.].*)", "\n".join(path.read_text() for path in FILES))
    assert [what for what in uses if not re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", what)] == []
    assert len(set(uses)) == len({what.partition("@")[0] for what in uses})


@pytest.mark.parametrize("where", CALLED)
def test_what_is_called_is_given_every_secret_that_it_knows(where: str) -> None:
    called = WORKFLOWS[Path(CALLED[where]).stem]
    assert set(JOBS[where]["secrets"]) == set(called["on"]["workflow_call"]["secrets"])


@pytest.mark.parametrize("where", JOBS)
def test_an_output_that_a_job_reads_is_one_that_its_step_writes(where: str) -> None:
    scripts = {step["id"]: step["run"] for step in JOBS[where].get("steps", []) if "id" in step}
    for step, output in re.findall(r"steps\.(\w+)\.outputs\.(\w+)", str(JOBS[where])):
        assert f'echo "{output}=' in scripts[step], (step, output)


def test_expressions_decide_which_run_ends_another_and_what_a_deploy_goes_by() -> None:
    group = "ci-${{ github.event.pull_request.number || github.run_id }}"
    assert WORKFLOWS["ci"]["concurrency"] == {"group": group, "cancel-in-progress": True}
    deploy = JOBS["_deploy/deploy"]
    assert deploy["concurrency"] == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}
    assert {where: step["if"] for where, step in STEPS.items() if "if" in step} == {
        "_deploy/deploy/Assume the role": "${{ vars.AWS_ROLE_ARN != '' }}",
        "_deploy/deploy/Use the access key": "${{ vars.AWS_ROLE_ARN == '' }}",
        "_deploy/deploy/Roll back": "${{ !success() && steps.set.outputs.before != '' }}",
        "_deploy/deploy/Log out of the registry": "${{ always() }}",
    }
    assert JOBS["_build/build"]["needs"] == "ci"
    assert [where for where, job in JOBS.items() if "if" in job] == []  # one could let a build run though CI failed
