"""Traces of what a service does: what the services know of them, and whether anybody wants them.

Off, which is the default, nothing of OpenTelemetry is imported. On, one trace spans request, queue and archive.
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from enum import Enum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from checkpoint.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    Attributes = Mapping[str, str | int | float | bool]

# https://opentelemetry.io/docs/specs/otel/protocol/exporter/#configuration-options
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL: Final = "http/protobuf"
# https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
_DISABLED: Final = "OTEL_SDK_DISABLED"
_EXPORTER: Final = "OTEL_TRACES_EXPORTER"
_PACKAGES: Final = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")

# Version, trace ID, parent ID and flags. Version ff and IDs of zeros alone are invalid, and version 00 has these fields
# and no more; of a later one these are read, and what follows a dash is not.
# https://www.w3.org/TR/trace-context/#traceparent-header-field-values and #versioning-of-traceparent
_TRACEPARENT: Final = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})(?P<span>[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?"
)
_SAMPLED: Final = 1


class Kind(Enum):
    """Of a span: https://opentelemetry.io/docs/specs/otel/trace/api/#spankind."""

    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Remote(NamedTuple):
    """A span of another process, as its traceparent names it."""

    trace_id: int
    span_id: int
    is_sampled: bool


class Span(Protocol):
    """Something that is done, from its start to its end. What it is told after its end is dropped."""

    @property
    def is_sampled(self) -> bool:
        """Whether it is exported."""
        ...

    @property
    def traceparent(self) -> str:
        """By which another process begins a span below this one; in version 00."""
        ...

    def set(self, attribute: str, value: str | float | bool) -> None:  # noqa: FBT001  as OpenTelemetry has it
        """Give it an attribute: an identity, a size, a status. Never what an e-mail or a token says."""
        ...

    def fail(self, kind: str) -> None:
        """Mark it as failed. kind: of the error, never its text."""
        ...

    def end(self) -> None:
        """End it now."""
        ...


class Tracing(Protocol):
    """Starts spans. It never raises, and never waits."""

    def start(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        parent: Span | str | None = None,
        links: Sequence[Span] = (),
    ) -> Span:
        """A span that has begun.

        parent: a span of this process, or a traceparent; below none, or one that is not valid, it begins a trace.
        links: other spans that it is about: https://opentelemetry.io/docs/concepts/signals/traces/#span-links
        """
        ...


current: Final = ContextVar[Span | None]("current", default=None)


@contextmanager
def within(span: Span) -> Iterator[None]:
    """Have `current` be this span: in the body, and in the tasks that it starts."""
    token = current.set(span)
    try:
        yield
    finally:
        current.reset(token)


def read_traceparent(text: str) -> Remote | None:
    """The span that a `traceparent` names; None for one that is not valid."""
    found = _TRACEPARENT.fullmatch(text)
    if found is None or (found["version"] == "00" and found["rest"] is not None):
        return None
    return Remote(int(found["trace"], 16), int(found["span"], 16), bool(int(found["flags"], 16) & _SAMPLED))


def is_on(environ: Mapping[str, str]) -> bool:
    """Whether the variables of OpenTelemetry ask for traces: by an endpoint.

    Raises SettingsError where they ask for what Checkpoint does not do, or its extra is not installed.
    """

    def first(names: Sequence[str]) -> str:
        return next((value for name in names if (value := environ.get(name, "").strip())), "")

    endpoint, exporter, protocol = first(_ENDPOINTS), first([_EXPORTER]), first(_PROTOCOLS)
    if not endpoint or exporter == "none" or environ.get(_DISABLED, "").strip().lower() == "true":
        return False
    if exporter not in ("", "otlp"):
        raise SettingsError(f"{_EXPORTER}: must be otlp or none.")
    if protocol not in ("", _PROTOCOL):
        raise SettingsError(f"{' or '.join(_PROTOCOLS)}: must be {_PROTOCOL}.")
    if not _is_http(endpoint):
        raise SettingsError(f"{' or '.join(_ENDPOINTS)}: must be http:// or https:// and a host.")
    if not all(map(_is_installed, _PACKAGES)):
        raise SettingsError("OpenTelemetry is not installed: pip install 'checkpoint-emails[traces]'")
    return True


@asynccontextmanager
async def open_tracing(service: str, environ: Mapping[str, str]) -> AsyncIterator[Tracing | None]:
    """What exports traces, and None where nobody asks for them. Raises SettingsError.

    service: the `service.name`, unless the variables give another.
    environ: the process's own; the SDK of OpenTelemetry looks at that, too.
    """
    if not is_on(environ):
        yield None
        return
    from checkpoint.operations.otlp import open_otlp  # noqa: PLC0415  most services go without its memory

    async with open_otlp(service) as tracing:
        yield tracing


def _is_http(url: str) -> bool:
    """Whether it is one, with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # as of http://[::1
        return False


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # nor what it is part of
        return False
