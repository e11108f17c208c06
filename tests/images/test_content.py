"""The content of each image, and its labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from checkpoint.version import VERSION
from images.conftest import BROKER, INTAKE

if TYPE_CHECKING:
    from images.engine import Engine

pytestmark = pytest.mark.needs_containers

IMAGES: Final = pytest.mark.parametrize(
    ("image", "app"), [(INTAKE, "processing_requests"), (BROKER, "message_broker")], ids=["intake", "broker"]
)
NOT_NEEDED: Final = {
    "processing_requests": ["message_broker", "obstore"],
    "message_broker": ["processing_requests", "httptools"],
}
NEVER_NEEDED: Final = ["Dockerfile", "boto3", "ministack", "mypy", "pytest"]
TOOLS: Final = ["c++", "cargo", "cc", "curl", "g++", "gcc", "git", "make"]
WHICH: Final = "import shutil, sys; print(*filter(shutil.which, sys.argv[1:]))"


def look(engine: Engine, image: str, *command: str) -> list[str]:
    """The lines that a command prints inside an image. It runs as root, so that no file is hidden from it."""
    program, *arguments = command
    run = ["run", "--rm", "--no-healthcheck", "--user=0", f"--entrypoint={program}", image, *arguments]
    return engine.ask(*run).splitlines()


@IMAGES
def test_an_image_holds_its_own_service_and_nothing_that_it_does_not_need(engine: Engine, image: str, app: str) -> None:
    names = [*NEVER_NEEDED, *NOT_NEEDED[app], *(f"{name}-*.dist-info" for name in NOT_NEEDED[app])]
    sought = " ".join(f"-o -name {name}" for name in names).removeprefix("-o ").split()
    assert look(engine, image, "find", "/", "-xdev", *sought) == []
    assert look(engine, image, "python", "-c", WHICH, *TOOLS) == []
    assert look(engine, image, "find", "/app", "-maxdepth", "1", "-name", app) == [f"/app/{app}"]


@IMAGES
def test_an_image_holds_no_cache_and_no_installer_beside_the_base_images_own(
    engine: Engine, image: str, app: str
) -> None:
    assert look(engine, image, "find", "/", "-xdev", "-path", "*/.cache/pip*") == []
    assert look(engine, image, "find", "/venv", "/app", "-name", "pip", "-o", "-name", "pip-*") == []
    assert look(engine, image, "python", "-c", f"import {app}.service, sys; print(sys.prefix)") == ["/venv"]


@IMAGES
def test_every_module_is_compiled_for_nothing_can_be_written_when_it_runs(engine: Engine, image: str, app: str) -> None:
    sources = set(look(engine, image, "find", "/app", "/venv/lib", "-name", "*.py"))
    compiled = {
        re.sub(r"__pycache__/([^/]+)\.cpython-\d+\.pyc$", r"\1.py", path)
        for path in look(engine, image, "find", "/app", "/venv/lib", "-name", "*.pyc")
    }
    assert f"/app/{app}/__main__.py" in sources
    assert sources - compiled == set()


@IMAGES
def test_an_image_says_what_it_is_and_runs_as_nobody(engine: Engine, image: str, app: str) -> None:
    config = engine.inspect(image)
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert labels["title"] == image.partition(":")[0]
    assert labels["version"] == VERSION
    assert labels["licenses"] == "MIT"
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", labels["revision"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)|unknown", labels["created"])
    assert labels["source"] == "unknown"  # only the pipeline knows its repository
    assert labels["description"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["python", "-m", app]
    assert not config.get("Cmd")
    assert engine.ask("run", "--rm", "--no-healthcheck", image, "--version").splitlines() == [f"{app} {VERSION}"]
    assert config["StopSignal"] in {"SIGTERM", "15"}
    assert not config.get("Volumes")
