"""The workflows as data: what GitHub would read, and each step's script by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

REPOSITORY: Final = Path(__file__).parents[2]
FILES: Final = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


def read(name: str) -> dict[str, Any]:
    """The workflow in a file, given without its ending."""
    workflow = YAML(typ="safe").load(REPOSITORY / ".github" / "workflows" / f"{name}.yml")
    assert isinstance(workflow, dict)
    return workflow


WORKFLOWS: Final = {path.stem: read(path.stem) for path in FILES}
JOBS: Final = {f"{name}/{key}": job for name, workflow in WORKFLOWS.items() for key, job in workflow["jobs"].items()}
STEPS: Final = [(where, step) for where, job in JOBS.items() for step in job.get("steps", [])]
SCRIPTS: Final = {f"{where}/{step['name']}": step["run"] for where, step in STEPS if "run" in step}
CALLED: Final = {where: job["uses"] for where, job in JOBS.items() if "uses" in job}
