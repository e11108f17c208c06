"""The protocol against h11, on streams of good and slightly broken requests: both must see the same requests in them.

HTTP_FUZZ_EXAMPLES makes it try so many streams, other ones in each run.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

import pytest
import structlog
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from corpus.all_cases import CASES
from unit.processing_requests.fed_connection import Heard, feed
from unit.processing_requests.http_streams import cut, streams
from unit.processing_requests.second_opinion import read
from unit.processing_requests.stricter_than_h11 import KEEPS_ALIVE, MORE_LENIENT, STRICTER, reasons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unit.processing_requests.fed_connection import Outcome
    from unit.processing_requests.second_opinion import Opinion, Opinions
    from unit.processing_requests.stricter_than_h11 import Difference

_EXAMPLES: Final = int(os.environ.get("HTTP_FUZZ_EXAMPLES", "0"))
MANY: Final = settings(
    max_examples=_EXAMPLES or 100,
    derandomize=not _EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """What is refused is logged; here that is most of what is sent."""
    configuration = structlog.get_config()
    try:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        yield
    finally:
        structlog.configure(**configuration)


# Of the corpus, what a single write sends, unless it takes long to send it byte by byte.
SHORT_STREAMS: Final = {
    name: case.sends for name, case in CASES.items() if isinstance(case.sends, bytes) and len(case.sends) < 5_000
}
places: Final = st.lists(st.integers(0, 400), max_size=6)


@MANY
@given(stream=streams(), places=places, answered_later=st.booleans())
def test_the_same_requests_are_seen_in_a_stream(stream: bytes, places: list[int], *, answered_later: bool) -> None:
    note(f"{stream!r}")
    assert_as_h11(stream, feed(cut(stream, places), answered_later=answered_later))


@MANY
@given(stream=streams(), places=places, answered_later=st.booleans())
def test_how_a_stream_is_cut_changes_no_answer(stream: bytes, places: list[int], *, answered_later: bool) -> None:
    note(f"{stream!r}")
    whole = feed([stream])
    assert_alike(whole, feed(cut(stream, places), answered_later=answered_later))
    assert_alike(whole, feed(bytewise(stream), answered_later=answered_later))


@pytest.mark.parametrize("name", SHORT_STREAMS)
def test_so_it_is_with_the_corpus(name: str) -> None:
    stream = SHORT_STREAMS[name]
    whole = feed([stream])
    assert_alike(whole, feed(bytewise(stream)))
    assert_as_h11(stream, whole)


@pytest.mark.parametrize("difference", STRICTER, ids=lambda difference: difference.name)
def test_a_difference_is_one_where_the_intake_is_stricter(difference: Difference) -> None:
    theirs = read(difference.example)
    opinion = theirs.whole[0] if theirs.whole else theirs.rest
    assert opinion
    assert opinion.error == ""
    assert reasons(STRICTER, opinion) == [difference.name]
    ours = feed([difference.example])
    assert (ours.requests, ours.refused_with) == ([], 505 if difference.name == "another version" else 400)


@pytest.mark.parametrize("difference", [*MORE_LENIENT, *KEEPS_ALIVE], ids=lambda difference: difference.name)
def test_a_difference_is_one_where_the_intake_is_more_lenient(difference: Difference) -> None:
    ours, theirs = feed([difference.example]), read(difference.example)
    assert len(ours.requests) > len(theirs.whole)
    assert is_more_lenient(theirs) == [difference.name]


def assert_as_h11(stream: bytes, ours: Outcome) -> None:
    """What came of a stream is what h11 makes of it, but for the differences that have a name."""
    theirs = read(stream)
    both = min(len(ours.requests), len(theirs.whole))
    assert ours.requests[:both] == [heard(opinion) for opinion in theirs.whole[:both]]
    if len(theirs.whole) > both:
        assert ours.dropped_what_followed or is_stricter(ours, theirs.whole[both])
    elif len(ours.requests) > both or (ours.refused_with and theirs.ends):
        assert is_more_lenient(theirs)
    elif ours.refused_with:
        assert is_refused_by_both(ours, stream, theirs)


def is_stricter(ours: Outcome, opinion: Opinion) -> list[str]:
    """Why a request is refused that h11 takes."""
    return reasons(STRICTER, opinion) if ours.refused_with in {400, 505} else []


def is_more_lenient(theirs: Opinions) -> list[str]:
    """Why a request is taken that h11 does not take."""
    if theirs.ends:
        return reasons(KEEPS_ALIVE, theirs.whole[-1])
    return reasons(MORE_LENIENT, theirs.rest) if theirs.rest and theirs.rest.error else []


def is_refused_by_both(ours: Outcome, stream: bytes, theirs: Opinions) -> object:
    """Whether h11 refuses it too, or would if it saw its end; or the reason why it does not."""
    if theirs.rest and theirs.rest.error:
        return True
    place = len(theirs.whole)
    ended = read(stream + b"\r\n\r\n")
    rest = ended.whole[place] if len(ended.whole) > place else ended.rest
    return rest and (rest.error or is_stricter(ours, rest))


def assert_alike(one: Outcome, other: Outcome) -> None:
    """The same requests and answers; but what came with the end of a chunked body may have been dropped."""
    if not one.dropped_what_followed and not other.dropped_what_followed:
        assert (one.requests, one.answers, one.ended) == (other.requests, other.answers, other.ended)
        return
    shorter, longer = sorted((one, other), key=lambda outcome: len(outcome.answers))
    count = len(shorter.answers)
    assert shorter.dropped_what_followed
    assert [answer.status for answer in shorter.answers] == [answer.status for answer in longer.answers[:count]]
    assert shorter.requests == longer.requests[: len(shorter.requests)]


def heard(opinion: Opinion) -> Heard:
    """A request as it must come to its route."""
    path = opinion.target.partition(b"?")[0]
    if b"://" in path:
        path = b"/" + path.split(b"/", maxsplit=3)[3] if path.count(b"/") > 2 else b"/"
    return Heard(opinion.method, unquote_to_bytes(path), opinion.body)


def bytewise(stream: bytes) -> list[bytes]:
    return cut(stream, list(range(len(stream))))
