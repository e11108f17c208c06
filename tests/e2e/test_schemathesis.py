"""schemathesis reads the OpenAPI document of a real process, and posts what it allows and what it does not.

Its checks: https://schemathesis.readthedocs.io/en/stable/reference/checks/
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from e2e.posting import TOKEN

if TYPE_CHECKING:
    from e2e.services import Services

SCHEMATHESIS: Final = Path(sys.executable).with_name("schemathesis")
HOOKS: Final = Path(__file__).with_name("schemathesis_hooks.py")


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)
def test_each_answer_keeps_to_the_document(services: Services, tmp_path: Path) -> None:
    intake = services.intake()
    options = ["--checks", "all", "--max-examples", "200", "--generation-deterministic"]
    ran = subprocess.run(
        [
            *(SCHEMATHESIS, "run", f"http://127.0.0.1:{intake.port}/openapi.json"),
            *("--header", f"Authorization: Bearer {TOKEN}", *options, "--no-color"),
        ],
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert {"message_queued", "request_refused"} <= {event["event"] for event in intake.events}
    assert not [event for event in intake.events if event["level"] in {"warning", "error"}]
