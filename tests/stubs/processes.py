"""A stub as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS: Final = Path(__file__).parents[1]


@contextmanager
def process(module: str, *arguments: str) -> Iterator[str]:
    """Run it while the body runs; gives the URL that it prints once it listens."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            yield running.stdout.readline().strip()
        finally:
            running.kill()
