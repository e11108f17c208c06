"""The chaos suite's command line: `make chaos SECONDS=60 SEED=1 ON=embedded`."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaos.report import as_json, as_table
from chaos.run import Run
from chaos.scenarios import SCENARIOS, STORM

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from chaos.world import World

_NAMESPACE: Final = "CHAOS_NAMESPACE"
_WORLDS: Final = ("embedded", "aws")


def main() -> int:
    """The exit code: 1 where a promise was broken."""
    parser = argparse.ArgumentParser(
        prog="chaos", description="Run both services under faults, and look for what is lost."
    )
    parser.add_argument("--seconds", type=float, default=60, help="for which faults happen, in each world")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(1_000_000), help="decides which, when, for how long"
    )
    parser.add_argument("--on", choices=[*_WORLDS, "both"], default="both", help="the worlds")
    parser.add_argument(
        "--scenario", choices=[STORM, *SCENARIOS], default=STORM, help="what happens; a storm is random faults"
    )
    parser.add_argument("--without", default="", help="faults that shall not happen, separated by commas")
    parser.add_argument("--json", type=Path, help="a file to write the results to")
    parser.add_argument("--keep", action="store_true", help="keep the services' logs")
    wanted = parser.parse_args()
    _enter_namespace(wanted.seed)
    found: list[dict[str, Any]] = []
    for name in _WORLDS if wanted.on == "both" else [wanted.on]:
        directory = Path(tempfile.mkdtemp(prefix=f"chaos-{name}-"))
        try:
            with _open_world(name)(directory) as world:
                outcome = Run(
                    world,
                    directory,
                    seed=wanted.seed,
                    seconds=wanted.seconds,
                    without=wanted.without.split(","),
                    scenario=wanted.scenario,
                ).go()
        finally:
            if not wanted.keep:
                shutil.rmtree(directory, ignore_errors=True)
        _say(as_table(outcome))
        _say(f"logs: {directory}" if wanted.keep else "")
        found.append(as_json(outcome))
    if wanted.json:
        wanted.json.write_text(json.dumps(found, indent=2))
    if any(each["violations"] for each in found):
        _say(f"A promise was broken. The seed was {wanted.seed}.")
        return 1
    return 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  a program's output


def _open_world(name: str) -> Callable[[Path], AbstractContextManager[World]]:
    """Loaded when it is wanted: each one needs other things."""
    opened: Callable[[Path], AbstractContextManager[World]] = import_module(f"chaos.{name}.world").open_world
    return opened


def _enter_namespace(seed: int) -> None:
    """Start again where mounts are this process's own, if the system lets it; who is not root becomes root there."""
    if os.environ.get(_NAMESPACE) or not (unshare := shutil.which("unshare")):
        return
    for rights in ([], ["--user", "--map-root-user"]):
        command = [unshare, *rights, "--mount", "--propagation", "private"]
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            os.environ[_NAMESPACE] = "1"
            os.execv(unshare, [*command, sys.executable, "-m", "chaos", "--seed", str(seed), *sys.argv[1:]])  # noqa: S606  itself


if __name__ == "__main__":
    sys.exit(main())
