"""The requirements of the distribution and of each image, and the lock files, against each other."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from architecture.sources import APPS, REPOSITORY, SERVICES

PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
DEPENDENCIES = {Requirement(each) for each in PYPROJECT["project"]["dependencies"]}


def group(name: str) -> set[Requirement]:
    """The requirements of a dependency group and of those that it includes."""
    found: set[Requirement] = set()
    for each in PYPROJECT["dependency-groups"][name]:
        found |= group(each["include-group"]) if isinstance(each, dict) else {Requirement(each)}
    return found


def locked(lock_file: str) -> dict[str, str]:
    """The version of each package of a lock file."""
    text = (REPOSITORY / lock_file).read_text()
    return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", text, re.MULTILINE))


def requirements(app: str) -> dict[str, str]:
    """The requirements of an app: the rest of the line, by name."""
    text = (REPOSITORY / "apps" / app / "requirements.txt").read_text().replace("\\\n", " ")
    return dict(re.split(r"(?===)", line, maxsplit=1) for line in text.splitlines())


def test_the_distribution_needs_what_its_programs_need_in_the_same_versions() -> None:
    assert set.union(*map(group, APPS)) == DEPENDENCIES


@pytest.mark.parametrize("requirement", sorted(DEPENDENCIES, key=str), ids=str)
def test_a_dependency_has_a_lowest_version_and_an_excluded_one(requirement: Requirement) -> None:
    assert sorted(each.operator for each in requirement.specifier) == ["<", ">="]


@pytest.mark.parametrize(("app", "other"), [SERVICES, SERVICES[::-1]])
def test_an_app_installs_its_own_libraries_and_none_of_the_others(app: str, other: str) -> None:
    own, others = ({each.name for each in group(name)} for name in (app, other))
    installed = requirements(app).keys()
    assert own <= installed
    assert others - own
    assert not (others - own) & installed


def test_the_intake_installs_no_obstore_and_the_broker_no_web_framework() -> None:
    assert "obstore" not in requirements("processing_requests")
    assert "httptools" not in requirements("message_broker")


@pytest.mark.parametrize("app", SERVICES)
def test_every_requirement_is_pinned_and_hashed(app: str) -> None:
    loose = {
        name
        for name, rest in requirements(app).items()
        if not re.fullmatch(r"==[\w.]+(?: +;[^-]+?)?(?: +--hash=sha256:[0-9a-f]{64})+", rest)
    }
    assert loose == set()


@pytest.mark.parametrize(
    ("lock_file", "asked"),
    [
        ("requirements/dev.txt", DEPENDENCIES | group("dev")),
        ("requirements/run.txt", DEPENDENCIES | group("run")),
        ("requirements/bench.txt", group("bench")),
        ("requirements/traces.txt", group("traces")),
        ("apps/processing_requests/requirements.txt", group("processing_requests")),
        ("apps/message_broker/requirements.txt", group("message_broker")),
    ],
)
def test_what_is_locked_lies_within_the_ranges_of_pyproject_toml(lock_file: str, asked: set[Requirement]) -> None:
    """Otherwise: `make lock`."""
    versions = locked(lock_file)
    outside = {
        f"{requirement} is locked as {version}"
        for requirement in asked
        if not (version := versions.get(canonicalize_name(requirement.name)))
        or not requirement.specifier.contains(version)
    }
    assert outside == set()


@pytest.mark.parametrize("app", SERVICES)
def test_an_image_installs_the_versions_that_the_tests_run_with(app: str) -> None:
    tested = locked("requirements/dev.txt")
    assert locked(f"apps/{app}/requirements.txt").items() <= tested.items()
    assert locked("requirements/traces.txt").items() <= tested.items()


def test_the_extra_for_traces_is_what_an_image_with_traces_installs() -> None:
    extra = {Requirement(each) for each in PYPROJECT["project"]["optional-dependencies"]["traces"]}
    assert extra == group("traces")
