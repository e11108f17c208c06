"""What each image installs."""

from __future__ import annotations

import re
import tomllib

import pytest

from architecture.sources import APPS, REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def requirements(app: str) -> dict[str, str]:
    """The requirements of an app, each with what follows its name."""
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
