"""What a check prints, and how it ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from checkpoint.operations.findings import Finding, examine, report

if TYPE_CHECKING:
    from collections.abc import Awaitable

GOOD: Final = Finding("queue", is_good=True, text="answers")
BAD: Final = Finding("archive", is_good=False, text="is away")
UNASKED: Final = Finding("broker", is_good=None, text="not asked")


@pytest.mark.parametrize(("findings", "code"), [([GOOD, UNASKED], 0), ([BAD, GOOD], 1), ([], 0)])
def test_one_bad_finding_makes_the_exit_code_1(
    findings: list[Finding], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(findings) == code
    assert capsys.readouterr().out.splitlines() == [
        f"{finding.mark} {finding.name}: {finding.text}" for finding in findings
    ]


def test_each_outcome_has_a_mark() -> None:
    assert [finding.mark for finding in (GOOD, BAD, UNASKED)] == ["✓", "✗", "–"]  # noqa: RUF001  a dash


async def fails(error: Exception) -> str:
    raise error


async def answers() -> str:
    return "answers"


@pytest.mark.parametrize(
    ("inspecting", "text"),
    [
        (answers, "answers"),
        (lambda: fails(ValueError("must be a URL.")), "must be a URL."),
        (lambda: fails(KeyError("s3cret")), "KeyError"),
        (asyncio.Event().wait, "no answer within 0.01 s"),
    ],
)
async def test_whatever_an_inspection_does_is_one_finding(inspecting: type[Awaitable[str]], text: str) -> None:
    found = await examine("queue", inspecting(), (ValueError,), seconds=0.01)
    assert found == Finding("queue", is_good=text == "answers", text=text)


def test_a_program_that_ends_at_once_has_written_what_it_printed() -> None:
    program = "import sys; from checkpoint.operations.exiting import exit_at_once; print('a' * 9999); exit_at_once(3)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, len(ended.stdout)) == (3, 10_000)
