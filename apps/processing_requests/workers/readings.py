"""What the private port tells of all workers together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from checkpoint.operations.private_port import Readiness
from processing_requests.workers.child import ANSWER_SECONDS
from processing_requests.workers.messages import read
from processing_requests.workers.sums import as_registry, total

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from prometheus_client import CollectorRegistry

    from processing_requests.workers.children import Children

T = TypeVar("T")

# For the parent's own loop, beside the time that the workers have to answer: a probe waits for 3 s.
_LOOP_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class ReadingsOfAll:
    """Asked on the private port's threads; asks on the parent's loop, which asks the workers.

    registry: the parent's own metrics.
    """

    loop: asyncio.AbstractEventLoop
    children: Children
    registry: CollectorRegistry

    def is_alive(self) -> bool:
        """Whether the parent's loop and every worker's go on: the requests of one that is stuck have no answer."""
        return self._ask(self.children.is_any_stuck()) is False

    def readiness(self) -> Readiness:
        """As `readiness_of_all` has it."""
        return self._ask(self.children.readiness()) or Readiness({"parent": "does not answer"}, {})

    def metrics(self) -> CollectorRegistry:
        """The sum of the parent's and the workers'."""
        of_workers = self._ask(self.children.metrics())
        if of_workers is None:
            of_workers = self.children.last_metrics()
        return as_registry(total([read(self.registry), of_workers]))

    def _ask(self, question: Coroutine[Any, Any, T]) -> T | None:
        """The answer of the loop; None where it does not come in time."""
        try:
            asked = asyncio.run_coroutine_threadsafe(question, self.loop)
        except RuntimeError:  # the loop is closed
            question.close()
            return None
        try:
            return asked.result(ANSWER_SECONDS + _LOOP_SECONDS)
        except TimeoutError:
            asked.cancel()
            return None
