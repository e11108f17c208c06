"""Print the trace of one e-mail, from a client to the archive, as a collector inside this process got it."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from e2e.on_aws import OnAWS
from e2e.one_machine import OneMachine
from e2e.services import Services
from emails import body
from emulator_process import running_emulator
from traces.collector import Collector
from traces.journey import journey
from traces.tree import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.worlds import World

WORLDS = {"embedded": "a SQLite file and a directory", "aws": "SQS and S3 (ministack)"}


def main() -> None:
    """Run both services where it was asked for, and print."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m traces")
    parser.add_argument("--on", choices=[*WORLDS, "both"], default="both")
    chosen = parser.parse_args().on
    for name in WORLDS if chosen == "both" else [chosen]:
        with TemporaryDirectory() as directory, world(name, Path(directory)) as found, Collector() as collector:
            services = Services(found.environment, Path(directory))
            try:
                spans = journey(found, services, collector, json.loads(body()))
            finally:
                services.kill_all()
            sys.stdout.write("\n".join([f"{WORLDS[name]}:", *tree(spans), "", ""]))


@contextmanager
def world(name: str, directory: Path) -> Iterator[World]:
    """A fresh one, by its name."""
    if name == "embedded":
        yield OneMachine(directory)
        return
    with ExitStack() as stack:
        emulated = directory / "emulator"
        emulated.mkdir()
        on_aws = OnAWS(stack.enter_context(running_emulator(emulated)))
        stack.enter_context(on_aws.running())
        yield on_aws


if __name__ == "__main__":
    main()
