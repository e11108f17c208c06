"""Says at the end of a run, in one line, how many tests did not run, and how to have them run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

WITH_TERRAFORM: Final = "with Terraform and its provider (make test-terraform)"
OTHERS: Final = "for other reasons, which stand above"
BY_MARKER: Final = {
    "needs_containers": "with a container engine (make image-test)",
    "applies_terraform": "with terraform/ applied to an emulator (make test-terraform-apply)",
}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Print the line after all else, but for pytest's own last line."""
    yield
    deselected: list[pytest.Item] = terminalreporter.stats.get("deselected", [])
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    counts = Counter(
        BY_MARKER[mark.name] for item in deselected for mark in item.iter_markers() if mark.name in BY_MARKER
    )
    counts.update(WITH_TERRAFORM if "terraform" in report.nodeid.split("/") else OTHERS for report in skipped)
    told = [f"{counts[kind]} {kind}" for kind in (WITH_TERRAFORM, *BY_MARKER.values(), OTHERS) if counts[kind]]
    if told:
        terminalreporter.write_line(f"Tests not run: {', '.join(told)}.")
