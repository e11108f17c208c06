"""The whole corpus, by subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from corpus import (
    chunks,
    content_lengths,
    expectations,
    fields,
    heads,
    json_bodies,
    long,
    media_types,
    methods,
    pipelines,
    slow,
    targets,
    tokens,
    transfer_encodings,
    truncated,
    unicode,
    versions_and_hosts,
)

if TYPE_CHECKING:
    from corpus.case import Case

_SUBJECTS: Final = (
    *(chunks, content_lengths, expectations, fields, heads, json_bodies, long, media_types, methods, pipelines),
    *(slow, targets, tokens, transfer_encodings, truncated, unicode, versions_and_hosts),
)

# By a name that says the subject, too.
CASES: Final[dict[str, Case]] = {
    f"{subject.__name__.rpartition('.')[2]}: {case.name}": case for subject in _SUBJECTS for case in subject.CASES
}
COUNT: Final = sum(len(subject.CASES) for subject in _SUBJECTS)
