"""The workflows as data, and a way to run the script of one step in bash, as GitHub does.

Programs that would reach outside are fakes. A fake records how it was called. Its answer is that of the first rule that
its command line starts with.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

# By the start of a command line: the exit code and output of the first call, of the second, and so on. The last one
# repeats.
Answers = Mapping[str, Sequence[tuple[int, str]]]

REPOSITORY: Final = Path(__file__).parents[2]
FILES: Final = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
WORKFLOWS: Final[dict[str, Any]] = {path.stem: YAML(typ="safe").load(path) for path in FILES}
JOBS: Final = {f"{name}/{key}": job for name, workflow in WORKFLOWS.items() for key, job in workflow["jobs"].items()}
STEPS: Final[dict[str, dict[str, Any]]] = {
    f"{where}/{step['name']}": step for where, job in JOBS.items() for step in job.get("steps", []) if "name" in step
}
SCRIPTS: Final[dict[str, str]] = {where: step["run"] for where, step in STEPS.items() if "run" in step}

OUTSIDE: Final = {"aws", "docker", "gh", "kubectl", "make", "sleep", "terraform"}
FAKE: Final = """\
#!{python} -IS
import json, pathlib, sys
log = pathlib.Path({folder!r}, "calls")
given = " <<<" + sys.stdin.read() if "--password-stdin" in sys.argv else ""
call = " ".join([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]) + given
calls = [*json.loads(log.read_text()), call]
log.write_text(json.dumps(calls))
for begin, answers in {answers!r}:
    if call.startswith(begin):
        code, output = answers[min(sum(call.startswith(begin) for call in calls), len(answers)) - 1]
        sys.stdout.write(output)
        sys.exit(code)
"""


@dataclass(frozen=True)
class Ran:
    """The result of a step."""

    code: int
    log: str
    outputs: dict[str, str]
    calls: list[str]  # with what was given on stdin behind <<<

    def of(self, prefix: str) -> list[str]:
        """The calls that start with this."""
        return [call for call in self.calls if call.startswith(prefix)]


def run(where: str, folder: Path, environment: Mapping[str, str], answers: Answers | None = None) -> Ran:
    """Run a step in `work` below the folder, with exactly the variables that it and its job declare."""
    declared = {*JOBS[where.rpartition("/")[0]].get("env", {}), *STEPS[where].get("env", {})}
    assert set(environment) == declared, f"{where} declares {sorted(declared)}"
    (folder / "work").mkdir(exist_ok=True)
    put_fakes(folder, answers or {})
    of_github = {
        "GITHUB_ENV": str(folder / "environment"),
        "GITHUB_OUTPUT": str(folder / "outputs"),
        "GITHUB_REF_NAME": "main",
        "GITHUB_REPOSITORY": "somebody/checkpoint",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": "7",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_SHA": "0123",
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "HOME": str(folder),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "RUNNER_TEMP": str(folder),
    }
    bash = [shutil.which("bash") or "bash", "-e", "-c", SCRIPTS[where]]  # as GitHub does where no shell is named
    env = of_github | dict(environment)
    ended = subprocess.run(bash, cwd=folder / "work", env=env, capture_output=True, text=True, timeout=60, check=False)
    outputs = dict(line.split("=", 1) for line in (folder / "outputs").read_text().splitlines())
    calls = json.loads((folder / "calls").read_text())
    return Ran(ended.returncode, ended.stdout + ended.stderr, outputs, calls)


def put_fakes(folder: Path, answers: Answers) -> None:
    (folder / "calls").write_text("[]")
    (folder / "outputs").write_text("")
    (folder / "bin").mkdir(exist_ok=True)
    for program in OUTSIDE | {begin.split()[0] for begin in answers}:
        fake = folder / "bin" / program
        fake.write_text(FAKE.format(python=sys.executable, folder=str(folder), answers=list(answers.items())))
        fake.chmod(0o755)
