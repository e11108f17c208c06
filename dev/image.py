"""Build both images with docker or podman, whichever works. `image.py engine` only says which that is.

From the environment: CONTAINER_ENGINE picks one, IMAGE_TAG tags the images, and IMAGE_BUILD_FLAGS is what a build needs
besides on this machine (a proxy, a certificate).
"""

from __future__ import annotations

import os
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
NAMES = {"processing_requests": "checkpoint-processing_requests", "message_broker": "checkpoint-messages_broker"}
ENGINES = ("docker", "podman")


def main() -> None:
    """Do what the command line asks for."""
    engine = find_engine()
    if sys.argv[1:] == ["engine"]:
        sys.stdout.write(f"{engine}\n")
        return
    tag = os.environ.get("IMAGE_TAG", "dev")
    for app, name in NAMES.items():
        sys.stdout.write(f"Building {name}:{tag} with {engine}.\n")
        sys.stdout.flush()
        built = subprocess.run(build_command(engine, app, f"{name}:{tag}"), cwd=REPOSITORY, check=False)  # noqa: S603
        if built.returncode != 0:
            sys.exit(f"{name}:{tag} was not built: {engine} says why above.")
    sys.stdout.write(f"Built with {engine}: {', '.join(f'{name}:{tag}' for name in NAMES.values())}\n")


def find_engine() -> str:
    """The first engine that answers; a docker client without its engine is not one."""
    wanted = os.environ.get("CONTAINER_ENGINE")
    for engine in [wanted] if wanted else ENGINES:
        if shutil.which(engine) and subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0:  # noqa: S603
            return engine
    sys.exit(f"No container engine answers here: {wanted or ' or '.join(ENGINES)} must be installed and running.")


def build_command(engine: str, app: str, image: str) -> list[str]:
    """How an image is built."""
    version = runpy.run_path(str(REPOSITORY / "src/checkpoint/version.py"))["VERSION"]
    arguments = {
        "VERSION": version,
        "REVISION": git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"),
        "CREATED": git("show", "--no-patch", "--format=%cI"),  # the commit's date, so that a build can be repeated
    }
    return [
        *(engine, "build"),
        *(["--format=docker"] if engine == "podman" else []),  # OCI's own format holds no health check
        *(f"--build-arg={name}={value}" for name, value in arguments.items()),
        *shlex.split(os.environ.get("IMAGE_BUILD_FLAGS", "")),
        *(f"--tag={image}", f"--file=apps/{app}/Dockerfile", "."),
    ]


def git(*arguments: str) -> str:
    """What git says; "unknown" outside a checkout."""
    command = ["git", *arguments]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)  # noqa: S603
    return ended.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
