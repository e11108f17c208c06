"""How long the broker waits before it makes a call again that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from checkpoint.clock import Random

_FIRST_SECONDS: Final = 0.25
_LONGEST_SECONDS: Final = 30.0


def backoff_seconds(random: Random, attempt: int) -> float:
    """Seconds before an attempt is made again, of which 1 was the first: exponential, capped, with full jitter.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    longest = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** min(attempt - 1, 16))
    return random.uniform(0, longest)
