"""A fake of what traces."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checkpoint.operations.tracing import Attributes, Kind, Span


@dataclass
class RecordedSpan:
    """A span. failed: the kind of its error. ends: how often it was ended."""

    name: str
    kind: Kind
    attributes: dict[str, Any]
    parent: Span | str | None
    links: list[Span]
    traceparent: str
    is_sampled: bool = True
    failed: str | None = None
    ends: int = 0

    def set(self, attribute: str, value: str | float | bool) -> None:  # noqa: FBT001  as the protocol has it
        self.attributes[attribute] = value

    def fail(self, kind: str) -> None:
        self.failed = kind

    def end(self) -> None:
        self.ends += 1


@dataclass
class RecordedTracing:
    """Keeps every span. samples: whether they are sampled."""

    samples: bool = True
    spans: list[RecordedSpan] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def start(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        parent: Span | str | None = None,
        links: Sequence[Span] = (),
    ) -> RecordedSpan:
        traceparent = f"00-{1:032x}-{next(self._numbers):016x}-0{int(self.samples)}"
        span = RecordedSpan(name, kind, {**attributes}, parent, [*links], traceparent, is_sampled=self.samples)
        self.spans.append(span)
        return span

    def named(self, name: str) -> list[RecordedSpan]:
        return [span for span in self.spans if span.name == name]
