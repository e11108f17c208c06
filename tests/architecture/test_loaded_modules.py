"""The modules that a service really loads. import-linter reads the code; this looks at the process."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# Each imports what its composition root imports, and opens the adapters of the defaults.
INTAKE = """
import asyncio, sys
import processing_requests.service, processing_requests.settings, checkpoint.parameter_store
from checkpoint.message_queue.adapters import open_sending

async def main():
    async with open_sending("sqlite:///queue.db"):
        print(*sys.modules)

asyncio.run(main())
"""
BROKER = """
import asyncio, pathlib, sys
import message_broker.service, message_broker.settings, checkpoint.parameter_store
from checkpoint.archive.adapters import open_archive
from checkpoint.message_queue.adapters import open_receiving

async def main():
    async with open_receiving("sqlite:///queue.db"), open_archive(pathlib.Path("archive").absolute().as_uri()):
        print(*sys.modules)

asyncio.run(main())
"""


def loaded_by(program: str, directory: Path) -> set[str]:
    """The top-level packages that a program has loaded."""
    ended = subprocess.run([sys.executable, "-c", program], cwd=directory, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in ended.stdout.split()}


@pytest.mark.parametrize(
    ("program", "own", "others"),
    [
        (INTAKE, {"processing_requests", "checkpoint", "httptools"}, {"message_broker", "obstore"}),
        (BROKER, {"message_broker", "checkpoint"}, {"processing_requests", "httptools"}),
    ],
    ids=["processing_requests", "message_broker"],
)
def test_a_service_loads_nothing_of_the_other(program: str, own: set[str], others: set[str], tmp_path: Path) -> None:
    loaded = loaded_by(program, tmp_path)
    assert own <= loaded
    assert not others & loaded


@pytest.mark.parametrize("program", [INTAKE, BROKER], ids=["processing_requests", "message_broker"])
def test_on_one_machine_no_cloud_sdk_is_loaded(program: str, tmp_path: Path) -> None:
    assert not {"aiobotocore", "aiohttp", "botocore", "obstore"} & loaded_by(program, tmp_path)
