"""Whether a service can do its work: the results of its last real calls, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_log = structlog.get_logger()


class Health:
    """Conditions that must hold for the service to be ready; a fault's reasons are logged once each, and its end.

    untried: conditions that are at fault ("not tried yet") until they are first reported.
    assumed_well: conditions that cannot be tried before there is work, and are well until reported otherwise.
    """

    def __init__(self, *, untried: Iterable[str], assumed_well: Iterable[str] = ()) -> None:
        self._faults: dict[str, str] = dict.fromkeys(untried, "not tried yet") | dict.fromkeys(assumed_well, "")
        self._said: dict[str, set[str]] = {name: set() for name in self._faults}

    @property
    def faults(self) -> Mapping[str, str]:
        """What is wrong, by condition; empty when ready."""
        return {name: reason for name, reason in self._faults.items() if reason}

    def is_well(self, condition: str) -> bool:
        """Whether the last report on the condition was good."""
        return not self._faults[condition]

    def well(self, condition: str) -> None:
        """Report that a real call succeeded."""
        if self._faults[condition]:
            _log.info("is well", condition=condition)
            self._faults[condition] = ""
            self._said[condition].clear()

    def at_fault(self, condition: str, reason: str) -> None:
        """Report that a real call failed; the reason names no content."""
        self._faults[condition] = reason
        if reason not in self._said[condition]:  # reasons may take turns, as often as something is tried
            _log.error("is at fault", condition=condition, reason=reason)
            self._said[condition].add(reason)
