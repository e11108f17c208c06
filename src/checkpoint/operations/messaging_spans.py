"""How spans name the queue: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from checkpoint.operations.tracing import Attributes


class Destination(NamedTuple):
    """A queue. system: `aws_sqs`, or the scheme of its URL. name: the last part of the URL's path."""

    system: str
    name: str

    @classmethod
    def of(cls, url: str) -> Self:
        """The queue at a URL; nothing else of the URL, which may hold a password, gets into a span."""
        parts = urlsplit(url)
        system = "aws_sqs" if parts.scheme in ("http", "https") else parts.scheme
        return cls(system, parts.path.rstrip("/").rpartition("/")[2])

    def span_name(self, operation: str) -> str:
        """Of what is done with the queue."""
        return f"{operation} {self.name}".rstrip()

    def attributes(self, operation: str, kind: str) -> Attributes:
        """operation: as the queue calls it. kind: of operation, as the conventions call it."""
        return {
            "messaging.system": self.system,
            "messaging.destination.name": self.name,
            "messaging.operation.name": operation,
            "messaging.operation.type": kind,
        }
