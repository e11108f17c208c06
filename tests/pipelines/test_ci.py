"""What is checked before anything is built."""

from __future__ import annotations

import tomllib

import pytest

from pipelines.workflows import REPOSITORY, SCRIPTS, WORKFLOWS

CI = WORKFLOWS["ci"]


def test_it_runs_on_pushes_and_pull_requests_and_for_the_builds() -> None:
    assert set(CI["on"]) == {"push", "pull_request", "workflow_call"}


def test_it_runs_the_command_of_the_readme_on_every_python_from_the_oldest_supported() -> None:
    assert "make test\n" in SCRIPTS["ci/test/Lint, types, tests"]
    oldest = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["requires-python"]
    versions = CI["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert versions == ["3.11", "3.12", "3.13", "3.14"]
    assert oldest == f">={versions[0]}"


def test_a_newer_push_to_a_pull_request_ends_the_older_run_and_nothing_else_does() -> None:
    assert CI["concurrency"]["group"].endswith("${{ github.event.pull_request.number || github.run_id }}")


@pytest.mark.parametrize("word", ["image", "image-test", "test", "test-terraform-apply"])
def test_every_word_that_it_uses_is_one_of_the_makefile(word: str) -> None:
    assert any(f" {word}" in script for script in SCRIPTS.values())
    assert f"\n{word}:" in (REPOSITORY / "Makefile").read_text()
