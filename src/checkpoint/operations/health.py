"""Whether a service can do its work: the results of its last real calls, by what it called."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from checkpoint.clock import Clock

_log = structlog.get_logger()

UNTRIED: Final = "not tried yet"  # why a condition is unhealthy before its first report

_MOST_WARNINGS: Final = 20
# Longer than a message that is released because of one waits until it comes again; after that another has it.
_WARNING_SECONDS: Final = 600


class Health:
    """Conditions that must hold for the service to be ready, and warnings, which leave it ready.

    The log says `<condition>_unavailable` once for each reason, and `<condition>_available` when it is over.

    untried: conditions that are unhealthy ("not tried yet") until they are first reported.
    assumed_healthy: conditions that cannot be tried before there is work, and are healthy until reported otherwise.
    """

    def __init__(self, *, untried: Iterable[str], assumed_healthy: Iterable[str] = (), clock: Clock = time) -> None:
        self._clock = clock
        self._faults: dict[str, str] = dict.fromkeys(untried, UNTRIED) | dict.fromkeys(assumed_healthy, "")
        self._logged: dict[str, set[str]] = {name: set() for name in self._faults}
        self._warnings: dict[str, tuple[str, float]] = {}

    @property
    def faults(self) -> Mapping[str, str]:
        """What is wrong, by condition; empty when ready."""
        return {name: reason for name, reason in self._faults.items() if reason}

    @property
    def warnings(self) -> Mapping[str, str]:
        """What somebody should look at, by its name: the last 20 of the last ten minutes."""
        since = self._clock.monotonic() - _WARNING_SECONDS
        return {name: reason for name, (reason, at) in list(self._warnings.items()) if at > since}

    def is_healthy(self, condition: str) -> bool:
        """Whether the last report on the condition was good."""
        return not self._faults[condition]

    def healthy(self, condition: str) -> None:
        """Report that a real call succeeded."""
        if self._faults[condition]:
            _log.info(f"{condition}_available")
            self._faults[condition] = ""
            self._logged[condition].clear()

    def unhealthy(self, condition: str, reason: str) -> None:
        """Report that a real call failed; the reason names no content."""
        self._faults[condition] = reason
        if reason not in self._logged[condition]:  # reasons may take turns, as often as something is tried
            _log.error(f"{condition}_unavailable", reason=reason)
            self._logged[condition].add(reason)

    def warn(self, name: str, reason: str) -> None:
        """Report one thing that fails while everything else goes on; neither text names content."""
        self._warnings.pop(name, None)
        self._warnings[name] = reason, self._clock.monotonic()
        if len(self._warnings) > _MOST_WARNINGS:
            del self._warnings[next(iter(self._warnings))]

    def clear_warnings(self, names: Iterable[str]) -> None:
        """Report things that do not fail, or no longer."""
        if self._warnings:
            for name in names:
                self._warnings.pop(name, None)
