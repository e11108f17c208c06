"""Build both images with docker or podman, whichever works; `image.py engine` only prints which.

Not with `docker compose build`: podman has no compose of its own, and the labels need git's answers.

From the environment: CONTAINER_ENGINE picks an engine, IMAGE_TAG tags the images (dev), and IMAGE_BUILD_FLAGS holds the
other options that a build needs on this machine (a proxy, a certificate).
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
IMAGES = {"processing_requests": "checkpoint-processing_requests", "message_broker": "checkpoint-messages_broker"}
ENGINES = ("docker", "podman")


def main() -> None:
    """Do what the command line asks for."""
    engine = find_engine()
    if sys.argv[1:] == ["engine"]:
        sys.stdout.write(f"{engine}\n")
        return
    for app, name in IMAGES.items():
        image = f"{name}:{os.environ.get('IMAGE_TAG', 'dev')}"
        if subprocess.run(build_command(engine, app, image), cwd=REPOSITORY, check=False).returncode != 0:  # noqa: S603
            sys.exit(f"{image} was not built; the reason is in the output of {engine} above.")
        sys.stdout.write(f"Built {image} with {engine}.\n")
        sys.stdout.flush()


def find_engine() -> str:
    """The first engine that answers; a docker client whose daemon does not run is none."""
    wanted = os.environ.get("CONTAINER_ENGINE")
    for engine in [wanted] if wanted else ENGINES:
        if shutil.which(engine) and subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0:  # noqa: S603
            return engine
    sys.exit(f"No container engine answers here: {wanted or ' or '.join(ENGINES)} must be installed and running.")


def build_command(engine: str, app: str, image: str) -> list[str]:
    """The command that builds the image of an app."""
    labels = {
        "VERSION": runpy.run_path(str(REPOSITORY / "src/checkpoint/version.py"))["VERSION"],
        "REVISION": git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"),
        "CREATED": git("show", "--no-patch", "--format=%cI"),  # the commit's date, so that a build can be repeated
    }
    return [
        *(engine, "build", f"--tag={image}", f"--file=apps/{app}/Dockerfile"),
        *(["--format=docker"] if engine == "podman" else []),  # OCI's own format holds no health check
        *(f"--build-arg={name}={value}" for name, value in labels.items()),
        *shlex.split(os.environ.get("IMAGE_BUILD_FLAGS", "")),
        ".",
    ]


def git(*arguments: str) -> str:
    """What git prints; "unknown" outside a checkout."""
    ended = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return ended.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
