"""A deploy that fails: what ran before runs again, and the run is red."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.deploying import JOB, READY, REVISION, STATUS, UNDO, WELL, changes, context
from pipelines.runner import run_job

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.fakes import Rules
    from pipelines.intake import Intake


def test_a_rollout_that_fails_is_taken_back_to_the_revision_of_before_and_waited_for(
    tmp_path: Path, intake: Intake
) -> None:
    rules = {"rollout status": [(1, "error: deployment exceeded its progress deadline\n"), (0, "")], **WELL}
    run = run_job(JOB, context(intake), rules, tmp_path)
    assert run.failed == ["Wait for the rollout"]
    assert changes(run)[1:] == [UNDO]
    assert run.of("kubectl")[-2:] == [UNDO, STATUS]
    assert intake.posted == []


def test_an_answer_other_than_200_takes_it_back(tmp_path: Path, intake: Intake) -> None:
    intake.status = 401
    run = run_job(JOB, context(intake), WELL, tmp_path)
    assert run.failed == ["Post an e-mail"]
    assert "answered 401" in run.log
    assert changes(run)[1:] == [UNDO]


def test_an_address_that_cannot_be_posted_to_takes_it_back(tmp_path: Path, intake: Intake) -> None:
    run = run_job(JOB, context(intake, vars__SERVICE_URL="nonsense://nobody"), WELL, tmp_path)
    assert run.failed == ["Post an e-mail"]
    assert changes(run)[1:] == [UNDO]


def test_a_broker_that_turns_unready_after_the_email_is_taken_back(tmp_path: Path, intake: Intake) -> None:
    rules: Rules = {REVISION: [(0, "7")], READY: [*[(0, "1/1")] * 11, (0, "/1")]}
    run = run_job(JOB, context(intake), rules, tmp_path)
    assert run.failed == ["Watch it stay ready"]
    assert changes(run)[1:] == [UNDO]


def test_an_autoscaler_that_adds_a_pod_meanwhile_is_waited_for(tmp_path: Path, intake: Intake) -> None:
    rules: Rules = {REVISION: [(0, "7")], READY: [(0, "1/1"), (0, "1/2"), (0, "1/2"), (0, "2/2")]}
    run = run_job(JOB, context(intake), rules, tmp_path)
    assert run.failed == []
    assert run.of("sleep") == ["sleep 5"] * 14


@pytest.mark.parametrize("step", ["Set the image", "Wait for the rollout", "Post an e-mail", "Watch it stay ready"])
def test_a_run_that_is_cancelled_is_taken_back(tmp_path: Path, intake: Intake, step: str) -> None:
    run = run_job(JOB, context(intake), WELL, tmp_path, cancel_at=step)
    assert run.failed == [step]
    assert changes(run)[1:] == [UNDO]


def test_what_fails_before_the_image_is_set_takes_nothing_back(tmp_path: Path, intake: Intake) -> None:
    run = run_job(JOB, context(intake), {"update-kubeconfig": [(255, "AccessDenied")], **WELL}, tmp_path)
    assert run.failed == ["Point kubectl at the cluster"]
    assert changes(run) == []


def test_a_deployment_without_a_revision_to_go_back_to_is_left_alone(tmp_path: Path, intake: Intake) -> None:
    run = run_job(JOB, context(intake), {REVISION: [(0, "")]}, tmp_path)
    assert run.failed == ["Set the image"]
    assert changes(run) == []


def test_an_undo_that_fails_is_red_as_well(tmp_path: Path, intake: Intake) -> None:
    run = run_job(JOB, context(intake), {"rollout": [(1, "error")], **WELL}, tmp_path)
    assert run.failed == ["Wait for the rollout", "Go back to what ran before"]


def test_there_is_time_left_to_take_back_what_failed_at_the_last_moment() -> None:
    rollout, looks, posting = 10, 36 * 5 / 60, (15 + 5) * 6 / 60
    assert JOB["timeout-minutes"] >= rollout + looks + posting + rollout + 5
