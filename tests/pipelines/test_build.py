"""Build: one image with one tag, from what CI has found good."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

import pytest

from pipelines.workflows import REPOSITORY, WORKFLOWS, run

if TYPE_CHECKING:
    from pathlib import Path

APPS: Final = ("processing_requests", "message_broker")


def dockerfile(app: str) -> str:
    return (REPOSITORY / "apps" / app / "Dockerfile").read_text()


def test_one_tag_is_pushed_for_both_architectures_with_provenance_and_what_it_is_made_of(tmp_path: Path) -> None:
    settings = {"APP": "message_broker", "IMAGE": "somebody/an-image", "REGISTRY": "docker.io", "TAG": "1.0.42"} | {
        "ON_DEFAULT_BRANCH": "false"
    }
    ran = run("_build/build/Build, tag and push", tmp_path, settings, {"git show": [(0, "2026-11-22T14:00:00Z\n")]})
    [command] = ran.of("docker ")
    assert command.startswith("docker buildx build --file apps/message_broker/Dockerfile ")
    assert "--platform linux/amd64,linux/arm64 --provenance mode=max --sbom true" in command
    assert re.findall(r"--tag (\S+)", command) == ["somebody/an-image:1.0.42"]
    assert (ran.code, command[-8:]) == (0, "--push .")
    given = dict(re.findall(r"--build-arg (\w+)=(\S+)", command))
    assert (given["VERSION"], given["REVISION"]) == ("1.0.42", "0123")
    for app in APPS:
        assert set(given) <= set(re.findall(r"^ARG (\w+)=", dockerfile(app), re.MULTILINE))


@pytest.mark.parametrize(("app", "other"), [APPS, APPS[::-1]])
def test_a_build_starts_by_itself_when_something_changes_that_its_dockerfile_copies(app: str, other: str) -> None:
    paths = WORKFLOWS[f"build-{app}"]["on"]["push"]["paths"]
    copied = re.findall(r"^COPY (?!--from)(\S+) ", dockerfile(app), re.MULTILINE)
    for source in [f"apps/{app}/Dockerfile", ".dockerignore", *copied]:
        some_file = f"{source}/x.py" if (REPOSITORY / source).is_dir() else source
        assert any(fnmatch(some_file, path) for path in paths), some_file
    assert not any(fnmatch(f"apps/{other}/x.py", path) for path in paths)
    assert [path for path in paths if not (REPOSITORY / path.removesuffix("/**")).exists()] == []
