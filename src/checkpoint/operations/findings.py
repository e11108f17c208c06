"""What a check found: one line each, and an exit code for all."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

# Longer than any call takes with its retries.
_SECONDS: Final = 30


class Finding(NamedTuple):
    """One thing that was checked.

    is_good: None where it was not asked. text: what was found; of a fault, with the way out.
    """

    name: str
    is_good: bool | None
    text: str

    @property
    def mark(self) -> str:
        """✓ or ✗, or a dash where it was not asked."""
        return {True: "✓", False: "✗", None: "–"}[self.is_good]  # noqa: RUF001  a dash


async def examine(
    name: str, inspecting: Awaitable[str], expected: Sequence[type[Exception]], *, seconds: float = _SECONDS
) -> Finding:
    """What an inspection found. expected: errors whose text may be shown; of any other its type is."""
    try:
        async with asyncio.timeout(seconds):
            return Finding(name, is_good=True, text=await inspecting)
    except TimeoutError:
        return Finding(name, is_good=False, text=f"no answer within {seconds:g} s")
    except Exception as error:  # noqa: BLE001  one check that fails must not hide what the others find
        return Finding(
            name, is_good=False, text=str(error) if isinstance(error, tuple(expected)) else type(error).__name__
        )


def report(findings: Iterable[Finding]) -> int:
    """Print the findings; the exit code is 1 where one is bad, else 0."""
    code = 0
    for finding in findings:
        sys.stdout.write(f"{finding.mark} {finding.name}: {finding.text}\n")
        code |= finding.is_good is False
    return code
