"""A trace as lines of text, each span below its parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from traces.collector import CollectedSpan

_WIDTH = 50
_MS = 1e6  # nanoseconds
_SHOWN = (
    "http.response.status_code",
    "messaging.system",
    "messaging.batch.message_count",
    "checkpoint.receive_count",
    "checkpoint.outcome",
    "checkpoint.object.created",
    "error.type",
)


def tree(spans: Sequence[CollectedSpan]) -> Iterator[str]:
    """A line for each span: who did what, of which kind, when it began and how long it took, and what it says."""
    first = min(span.began for span in spans)
    known = {span.span_id for span in spans}
    yield f"trace {spans[0].trace_id}"
    yield f"{'':{_WIDTH}}{'kind':<10}{'after ms':>9}{'took ms':>9}"

    def below(parent_id: str, depth: int) -> Iterator[str]:
        for span in spans:
            if (span.parent_id if span.parent_id in known else "") == parent_id:
                name = f"{'  ' * depth}{span.service}: {span.name}"
                told = " ".join(f"{key}={span.attributes[key]}" for key in _SHOWN if key in span.attributes)
                times = f"{(span.began - first) / _MS:>9.1f}{(span.ended - span.began) / _MS:>9.1f}"
                yield f"{name:<{_WIDTH}}{span.kind:<10}{times}  {told}".rstrip()
                yield from below(span.span_id, depth + 1)

    yield from below("", 0)
