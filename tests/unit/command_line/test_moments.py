"""Times as they are printed."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from command_line.moments import shown, written


def test_a_script_gets_utc() -> None:
    assert written(1_706_213_694.25) == "2024-01-25T20:14:54.250+00:00"
    assert written(1_706_213_694.25, "seconds") == "2024-01-25T20:14:54+00:00"


def test_a_reader_gets_local_time() -> None:
    local = datetime.fromtimestamp(1_706_213_694, UTC).astimezone()
    assert shown(1_706_213_694).startswith(f"{local:%Y-%m-%d %H:%M:%S}")


@pytest.mark.parametrize("seconds", [None, 1e300, -1e18, math.inf, math.nan])
def test_what_is_no_date_is_unknown(seconds: float | None) -> None:
    assert (written(seconds), shown(seconds)) == (None, "unknown")
