"""The health of several workers as that of one service."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from checkpoint.operations.private_port import Readiness

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from processing_requests.workers.messages import HealthAnswer


def readiness_of_all(
    serving: Mapping[int, HealthAnswer | None], *, starting: Iterable[int], down: Mapping[int, str]
) -> Readiness:
    """What a load balancer should see of workers that take connections from one socket.

    Any worker that serves may get the next request. So each of them must be healthy, and one that does not answer is a
    fault: it holds connections. One that is down takes no connection; while others serve, it is a warning.

    serving: what each says, by its number; None of one that does not answer.
    starting: for the first time; until then the service has not the workers that it was promised.
    down: why, by the number; they are being started again.
    """
    answers = {number: answer for number, answer in serving.items() if answer is not None}
    faults = {f"worker {number}": "does not answer" for number in serving if number not in answers}
    faults |= {f"worker {number}": "has not started yet" for number in starting}
    if not serving:
        faults |= {f"worker {number}": reason for number, reason in down.items()}
    faults |= _merged({number: answer.faults for number, answer in answers.items()})
    warnings = {f"worker {number}": reason for number, reason in down.items() if serving}
    warnings |= _merged({number: answer.warnings for number, answer in answers.items()})
    return Readiness(faults, warnings)


def _merged(by_worker: Mapping[int, Mapping[str, str]]) -> dict[str, str]:
    """Under its own name what all say alike, else under the name with the worker's number."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for number, reasons in by_worker.items():
        for name, reason in reasons.items():
            found[name][number] = reason
    merged = {}
    for name, reasons_by_worker in found.items():
        if len(reasons_by_worker) == len(by_worker) and len(set(reasons_by_worker.values())) == 1:
            merged[name] = next(iter(reasons_by_worker.values()))
        else:
            merged |= {f"{name} (worker {number})": reason for number, reason in reasons_by_worker.items()}
    return merged
