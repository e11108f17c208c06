"""Runs a job's steps one after the other, as GitHub would, with fakes of the programs that reach outside."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.expressions import evaluate, fill
from pipelines.fakes import FAKED, calls, put_fakes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.fakes import Rules


@dataclass
class Run:
    """What became of a job."""

    calls: list[str] = field(default_factory=list)  # of programs, and of actions as `uses …`
    given: dict[str, str] = field(default_factory=dict)  # what a call was given on stdin
    failed: list[str] = field(default_factory=list)  # names of steps
    log: str = ""
    summary: str = ""

    def of(self, program: str) -> list[str]:
        """The calls of one program."""
        return [call for call in self.calls if call.split()[0] == program]


def run_job(
    job: Mapping[str, Any], context: Mapping[str, object], rules: Rules, folder: Path, *, cancel_at: str = ""
) -> Run:
    """Run the job in an empty folder; `cancel_at` names a step during which somebody cancels the run."""
    runner = _Runner(job, context, rules, folder)
    for step in job["steps"]:
        runner.step(step, cancelled=step.get("name") == cancel_at)
    return runner.run


class _Runner:
    def __init__(self, job: Mapping[str, Any], context: Mapping[str, object], rules: Rules, folder: Path) -> None:
        self.run = Run()
        self._folder = folder
        self._context = dict(context) | {"success()": True, "always()": True}
        self._environment = {
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(folder),
            "GITHUB_SHA": "0123456789abcdef",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "somebody/checkpoint",
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        } | {name: fill(value, self._context) for name, value in job.get("env", {}).items()}
        self._context |= {f"env.{name}": value for name, value in self._environment.items()}
        (folder / "summary").touch()
        put_fakes(folder, rules)

    def step(self, step: Mapping[str, Any], *, cancelled: bool) -> None:
        condition = str(step.get("if", "success()")).removeprefix("${{").removesuffix("}}")
        if "()" not in condition:
            condition = f"success() && ({condition})"
        if not evaluate(condition, self._context):
            return
        name = step.get("name", step.get("uses"))
        if "uses" in step:
            with_ = {key: fill(value, self._context) for key, value in step.get("with", {}).items()}
            self.run.calls.append(f"uses {step['uses'].split('@')[0]} {with_}")
            return
        outcome = self._script(step["run"], step.get("env", {}))
        self._read_calls()
        self._context |= {f"steps.{step.get('id')}.outputs.{key}": value for key, value in self._outputs().items()}
        if outcome != 0 or cancelled:
            self._context["success()"] = False
            self.run.failed.append(name)

    def _script(self, script: str, environment: Mapping[str, object]) -> int:
        (self._folder / "outputs").write_text("")
        done = subprocess.run(
            # As GitHub starts a script where no shell is named.
            [shutil.which("bash") or "bash", "-e", "-c", script],
            cwd=self._folder,
            env=self._environment
            | {"GITHUB_OUTPUT": str(self._folder / "outputs")}
            | {key: fill(value, self._context) for key, value in environment.items()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        self.run.log += done.stdout
        self.run.summary = (self._folder / "summary").read_text()
        return done.returncode

    def _outputs(self) -> dict[str, str]:
        lines = (self._folder / "outputs").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def _read_calls(self) -> None:
        seen = sum(call.split()[0] in FAKED for call in self.run.calls)
        for call, given in calls(self._folder)[seen:]:
            self.run.calls.append(call)
            if given:
                self.run.given[call] = given
