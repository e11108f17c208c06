"""The requirements of each image, and the lock files against the pins of pyproject.toml."""

from __future__ import annotations

import re
import tomllib

import pytest

from architecture.sources import APPS, REPOSITORY

PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
GROUPS = PYPROJECT["dependency-groups"]


def requirements(app: str) -> dict[str, str]:
    """The requirements of an app: the rest of the line, by name."""
    text = (REPOSITORY / "apps" / app / "requirements.txt").read_text().replace("\\\n", " ")
    return dict(re.split(r"(?===)", line, maxsplit=1) for line in text.splitlines())


def extra(app: str) -> set[str]:
    """The libraries that pyproject.toml gives an app."""
    return {each.partition("==")[0] for each in PROJECT["optional-dependencies"][app.replace("_", "-")]}


@pytest.mark.parametrize(("app", "other"), [APPS, APPS[::-1]])
def test_an_app_installs_its_own_libraries_and_none_of_the_others(app: str, other: str) -> None:
    installed = requirements(app).keys()
    common = {each.partition("==")[0] for each in PROJECT["dependencies"]}
    assert extra(app) | common <= installed
    assert extra(other) - extra(app)
    assert not (extra(other) - extra(app)) & installed


def test_the_intake_installs_no_obstore_and_the_broker_no_web_framework() -> None:
    assert "obstore" not in requirements("processing_requests")
    assert not {"starlette", "uvicorn", "httptools"} & requirements("message_broker").keys()


@pytest.mark.parametrize("app", APPS)
def test_every_requirement_is_pinned_and_hashed(app: str) -> None:
    loose = {
        name
        for name, rest in requirements(app).items()
        if not re.fullmatch(r"==[\w.]+(?: +;[^-]+?)?(?: +--hash=sha256:[0-9a-f]{64})+", rest)
    }
    assert loose == set()


def pins(requirements: list[str | dict[str, str]]) -> set[str]:
    """The pinned requirements as a lock file writes them, without those of included groups."""
    exact = (re.fullmatch(r"([\w.-]+)(?:\[.*\])?(==.*)", each) for each in requirements if isinstance(each, str))
    return {re.sub(r"[-_.]+", "-", each[1]).lower() + each[2] for each in exact if each}


@pytest.mark.parametrize(
    ("lock_file", "extras", "groups"),
    [
        ("requirements/dev.txt", ["processing-requests", "message-broker"], ["run", "dev"]),
        ("requirements/run.txt", ["processing-requests", "message-broker"], ["run"]),
        ("apps/processing_requests/requirements.txt", ["processing-requests"], []),
        ("apps/message_broker/requirements.txt", ["message-broker"], []),
    ],
)
def test_what_pyproject_toml_pins_is_locked_at_that_version(
    lock_file: str, extras: list[str], groups: list[str]
) -> None:
    """Otherwise: `make lock`."""
    asked = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    pinned = set().union(*(pins(each) for each in [*asked, *(GROUPS[group] for group in groups)]))
    locked = set(re.findall(r"^[\w.-]+==[^ ;\\]+", (REPOSITORY / lock_file).read_text(), re.MULTILINE))
    assert len(pinned) > len(PROJECT["dependencies"])
    assert pinned - locked == set()
