"""Says at the end of a run, in one line, how many tests did not run, and how to have them run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

WITH_TERRAFORM: Final = "with Terraform and its provider (make test-terraform)"
OTHERS: Final = "for other reasons, which stand above"
BY_MARKER: Final = {
    "needs_containers": "with a container engine (make image-test)",
    "applies_terraform": "with terraform/ applied to an emulator (make test-terraform-apply)",
    "plants_defects": "with a defect planted in the sources (make test-oracle)",
}

_left_out: Final = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is left out yet."""
    config.stash[_left_out] = Counter[str]()


@pytest.hookimpl(trylast=True)
def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count them by what they need."""
    for item in items:
        left_out = item.config.stash[_left_out]
        left_out.update(mark.name for mark in item.iter_markers() if mark.name in BY_MARKER)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that shares out the tests what was left out here, where this is one of those that run them."""
    told: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        left_out = session.config.stash[_left_out]
        told["left_out"] = dict(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of pytest-xdist's processes has ended. Each of them collects all tests, so all leave out the same."""
    told: dict[str, int] = getattr(node, "workeroutput", {}).get("left_out", {})
    node.config.stash[_left_out] = Counter(told)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Print the line after all else, but for pytest's own last line."""
    yield
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    left_out = terminalreporter.config.stash[_left_out]
    counts = Counter({BY_MARKER[name]: count for name, count in left_out.items()})
    counts.update(WITH_TERRAFORM if "terraform" in report.nodeid.split("/") else OTHERS for report in skipped)
    told = [f"{counts[kind]} {kind}" for kind in (WITH_TERRAFORM, *BY_MARKER.values(), OTHERS) if counts[kind]]
    if told:
        terminalreporter.write_line(f"Tests not run: {', '.join(told)}.")
