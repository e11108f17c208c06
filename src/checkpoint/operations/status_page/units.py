"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400


def count(value: float) -> str:
    """`12,345`."""
    return f"{value:,.0f}"


def rate(value: float) -> str:
    """Three digits at least: `0.25`, `12.3`, `1,234`."""
    if value == 0 or value >= 100:  # noqa: PLR2004  three digits
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004  as above


def percent(value: float) -> str:
    """Of 1: `7.5 %`."""
    value *= 100
    return f"{value:.0f} %" if value < 0.05 or value >= 10 else f"{value:.1f} %"  # noqa: PLR2004  two digits


def size(value: float) -> str:
    """Bytes: `12.3 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1_000:  # noqa: PLR2004  four digits are hard to read
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"  # noqa: PLR2004
        value /= 1_024
    return f"{value:,.1f} TiB"


def duration(seconds: float) -> str:
    """`0`, `4.2 ms`, `1.5 s`, `3 min 20 s`, `2 h 5 min`, `12 d 3 h`."""
    if seconds <= 0:
        return "0"
    if seconds < 1:
        milliseconds = seconds * 1_000
        return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"  # noqa: PLR2004
    if seconds < _MINUTE:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"  # noqa: PLR2004
    for unit, in_seconds, lower, lower_in_seconds in (
        ("d", _DAY, "h", _HOUR),
        ("h", _HOUR, "min", _MINUTE),
        ("min", _MINUTE, "s", 1),
    ):
        if seconds >= in_seconds:
            whole, rest = divmod(int(seconds), in_seconds)
            more = rest // lower_in_seconds
            return f"{whole} {unit} {more} {lower}" if more else f"{whole} {unit}"
    raise AssertionError(seconds)


def round_up(value: float) -> float:
    """The least of …, 0.5, 1, 2, 5, 10, 20, … that is not below a value; 1 for 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= value * (1 - 1e-9))


def round_up_percent(value: float) -> float:
    """The same of a percentage, which is a part of 1 here; 1 % at least."""
    return round_up(max(value * 100, 1)) / 100


def round_up_size(value: float) -> float:
    """The same of mebibytes."""
    return 2**20 * round_up(value / 2**20)


def round_up_duration(seconds: float) -> float:
    """The same of seconds, and from 10 on such times as a clock's face has."""
    steps = (10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, _HOUR, 2 * _HOUR, 6 * _HOUR, 12 * _HOUR)
    if seconds <= steps[0]:
        return round_up(seconds)
    return next((step for step in steps if step >= seconds), _DAY * round_up(seconds / _DAY))
