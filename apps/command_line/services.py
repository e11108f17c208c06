"""What the private ports of both services say."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

# A private port answers at once, or is stuck: the services' own probes wait no longer.
_SECONDS: Final = 3.0
_BUILD: Final = "checkpoint_build_info"
# What each service counts of the messages that it has brought further, by the values of one label.
_COUNTED: Final = {
    "processing_requests": ("checkpoint_requests_total", "status", {"200"}),
    "message_broker": ("checkpoint_messages_total", "outcome", {"created", "already_there"}),
}


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What a service said of itself.

    problem: why it could not be asked; empty where it answered.
    is_ready, faults, warnings: as /readyz has them; not ready where it did not answer.
    version: of Checkpoint; empty where it did not say.
    messages: e-mails answered 200, or archived, since its start; None where it did not say.
    at: when that was, by the monotonic clock.
    clock_seconds: how far its clock is ahead of this one, to about a second; None where it did not say.
    """

    problem: str = ""
    is_ready: bool = False
    faults: Mapping[str, str] = field(default_factory=dict)
    warnings: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    messages: float | None = None
    at: float = 0
    clock_seconds: float | None = None

    def rate_since(self, before: ServiceState | None) -> float | None:
        """Messages per second since an earlier answer; None where one of both does not tell."""
        if before is None or self.messages is None or before.messages is None or self.at <= before.at:
            return None
        return max(0.0, self.messages - before.messages) / (self.at - before.at)  # a restart counts from 0 again


async def ask_service(http: aiohttp.ClientSession, url: str) -> ServiceState:
    """Ask the private port at a URL; raises nothing for what is wrong with it."""
    import aiohttp  # noqa: PLC0415  slow to import, and not every command asks

    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    base = url.rstrip("/")
    try:
        async with http.get(f"{base}/readyz", timeout=timeout) as answer:
            clock_seconds = _ahead(answer.headers.get("Date"))
            told = await answer.json(content_type=None)
        is_ready, faults, warnings = bool(told["ready"]), _texts(told["faults"]), _texts(told["warnings"])
        async with http.get(f"{base}/metrics", timeout=timeout) as answer:
            version, messages = _read_metrics(await answer.text())
    except TimeoutError:
        return ServiceState(problem=f"no answer within {_SECONDS:g} s")
    except (aiohttp.ClientConnectorError, ConnectionError):
        return ServiceState(problem="nothing listens there")
    except aiohttp.InvalidURL:
        return ServiceState(problem="is not the URL of a private port")
    except (aiohttp.ClientError, OSError) as error:
        return ServiceState(problem=type(error).__name__)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return ServiceState(problem="what answers there is no private port of Checkpoint's")
    return ServiceState("", is_ready, faults, warnings, version, messages, time.monotonic(), clock_seconds)


def _texts(told: Any) -> dict[str, str]:
    return {str(name): str(reason) for name, reason in told.items()}


def _read_metrics(text: str) -> tuple[str, float | None]:
    """The version and the count of messages; each empty or None where it is not told."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  as aiohttp

    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    builds = [sample.labels for sample in samples if sample.name == _BUILD]
    if not builds:
        return "", None
    name, label, values = _COUNTED.get(builds[0].get("service", ""), ("", "", set[str]()))
    counts = [sample.value for sample in samples if sample.name == name and sample.labels.get(label) in values]
    return builds[0].get("version", ""), sum(counts) if counts else None


def _ahead(date: str | None) -> float | None:
    """How far the clock that wrote a Date header is ahead (RFC 9110, section 6.6.1): it tells whole seconds."""
    try:
        return parsedate_to_datetime(date).timestamp() + 0.5 - time.time() if date else None
    except ValueError:
        return None
