"""Moments, in seconds since 1970, as they are printed: for scripts and for a reader."""

from __future__ import annotations

from datetime import UTC, datetime


def written(seconds: float | None, timespec: str = "milliseconds") -> str | None:
    """For scripts, in UTC: https://www.rfc-editor.org/rfc/rfc3339. None where it is not known, or is no date."""
    moment = _date(seconds)
    return moment.isoformat(timespec=timespec) if moment else None


def shown(seconds: float | None) -> str:
    """For a reader, in local time."""
    moment = _date(seconds)
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}" if moment else "unknown"


def _date(seconds: float | None) -> datetime | None:
    """None, too, for a number that somebody has made by hand, and that is of no year up to 9999."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OSError, OverflowError, ValueError):
        return None
