"""What is counted of the calls to a service that others run: how long each took, and which failed."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

from prometheus_client import Counter

from checkpoint.operations.series import CALL_SECONDS, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client import CollectorRegistry

    from checkpoint.clock import Clock

# A code is what the other side says, or what stands between. So it is not trusted to be one of few.
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_MOST_CODES: Final = 30
_OTHER: Final = "other"


class Calls:
    """The metrics of the calls to a queue or an archive.

    operations: all that are called. clock: for durations.
    """

    def __init__(
        self,
        service: Literal["queue", "archive"],
        operations: Sequence[str],
        *,
        registry: CollectorRegistry,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._durations = Histogram(
            f"checkpoint_{service}_call_duration_seconds",
            f"Time that calls to the {service} took, those that failed too, by operation.",
            CALL_SECONDS,
            registry=registry,
            label="operation",
            values=operations,
        ).by_value
        self._failures = Counter(
            f"checkpoint_{service}_call_failures",
            f"Calls to the {service} that failed, by operation and by the code of the failure.",
            ["operation", "code"],
            registry=registry,
        )
        self._codes: set[str] = set()

    @contextmanager
    def call(self, operation: str) -> Iterator[None]:
        """Around a call. One that is cancelled is not counted: it has neither succeeded nor failed."""
        began = self._clock.monotonic()
        try:
            yield
        except Exception as error:
            self.failed(operation, began, error)
            raise
        self.succeeded(operation, began)

    def began(self) -> float:
        """Now, for `succeeded` or `failed`: where there are many calls, they cost less than `call` does."""
        return self._clock.monotonic()

    def succeeded(self, operation: str, began: float) -> None:
        """Count a call."""
        self._durations[operation].observe(self._clock.monotonic() - began)

    def failed(self, operation: str, began: float, error: Exception) -> None:
        """Count a call that raised an error. Its `code` is the label, or the name of its type if it has none."""
        self._durations[operation].observe(self._clock.monotonic() - began)
        self._failures.labels(operation, self._bounded(getattr(error, "code", "") or type(error).__name__)).inc()

    def _bounded(self, code: object) -> str:
        if not (isinstance(code, str) and _CODE.fullmatch(code)):
            return _OTHER
        if code not in self._codes:
            if len(self._codes) >= _MOST_CODES:
                return _OTHER
            self._codes.add(code)
        return code
