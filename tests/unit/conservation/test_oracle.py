"""The oracle itself: each promise that is broken is named, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from conservation import oracle
from conservation.history import Confirmation, Destroyed, End, History, Post, identity
from conservation.oracle import Violation, violations

FIRST: Final = identity(b"first")
SECOND: Final = identity(b"second")
BAD: Final = identity(b"bad")
PLAIN: Final = "sqs_message_1706213694.json"
OTHER: Final = f"sqs_message_1706213694_{SECOND[:16]}.json"


def history() -> History:
    """Two e-mails of one timestream, the second one posted again after a 503; and a message that is no e-mail."""
    return History(
        timestreams={FIRST: "1706213694", SECOND: "1706213694"},
        posts=[
            Post(FIRST, began=0, ended=1, status=200),
            Post(SECOND, began=0, ended=1, status=503),
            Post(SECOND, began=2, ended=3, status=200),
        ],
        bad={BAD},
    )


def end() -> End:
    return End(objects={PLAIN: FIRST, OTHER: SECOND}, changed=[], waiting=0, dead_letters=[BAD])


def test_a_history_in_which_everything_was_kept_once_has_no_violation() -> None:
    assert violations(history(), end()) == []


def test_a_bad_message_that_is_dead_lettered_twice_is_no_violation() -> None:
    assert violations(history(), replace(end(), dead_letters=[BAD, BAD])) == []


def test_an_email_that_was_never_answered_200_may_be_kept_or_not() -> None:
    unanswered = history()
    unanswered.posts[0] = Post(FIRST, began=0, ended=1, status=None)
    plain_is_the_second = replace(end(), objects={PLAIN: SECOND})

    assert violations(unanswered, end()) == []
    assert violations(unanswered, plain_is_the_second) == []


@pytest.mark.parametrize(
    ("left", "found"),
    [
        (replace(end(), objects={PLAIN: FIRST}), [Violation(oracle.LOST, SECOND)]),
        (
            replace(end(), objects={PLAIN: FIRST, OTHER: SECOND, f"sqs_message_1706213694_{FIRST[:16]}.json": FIRST}),
            [Violation(oracle.DOUBLED, FIRST)],
        ),
        (
            replace(end(), objects={**end().objects, "sqs_message_5.json": identity(b"half")}),
            [Violation(oracle.NEVER_POSTED, "sqs_message_5.json")],
        ),
        (
            replace(end(), objects={PLAIN: FIRST, "sqs_message_5.json": SECOND}),
            [Violation(oracle.MISNAMED, "sqs_message_5.json")],
        ),
        (replace(end(), changed=[PLAIN]), [Violation(oracle.CHANGED, PLAIN)]),
        (replace(end(), waiting=3), [Violation(oracle.LEFT_ON_THE_QUEUE, "3")]),
        (replace(end(), dead_letters=[BAD, FIRST]), [Violation(oracle.WRONGLY_DEAD_LETTERED, FIRST)]),
        (replace(end(), dead_letters=[]), [Violation(oracle.NOT_DEAD_LETTERED, BAD)]),
    ],
    ids=lambda value: value[0].what if isinstance(value, list) else "",
)
def test_each_broken_promise_is_named(left: End, found: list[Violation]) -> None:
    assert violations(history(), left) == found


def test_the_second_name_without_the_plain_one_is_misnamed() -> None:
    only_second = history()
    only_second.posts[0] = Post(FIRST, began=0, ended=1, status=None)

    assert violations(only_second, replace(end(), objects={OTHER: SECOND})) == [Violation(oracle.MISNAMED, OTHER)]


@pytest.mark.parametrize(
    ("asked_at", "at", "found"),
    [
        pytest.param(0.2, 0.4, [Violation(oracle.REFUSED_THOUGH_CONFIRMED, SECOND)], id="while its client waited"),
        pytest.param(0.2, 0.9, [], id="so late that the deadline may have passed"),
        pytest.param(0.2, 1.5, [], id="after the answer"),
        pytest.param(-1, 0.4, [], id="for an earlier request"),
        pytest.param(2.1, 2.2, [], id="for the request that was answered 200"),
    ],
)
def test_an_email_refused_though_the_queue_confirmed_it_in_time_is_a_violation(
    asked_at: float, at: float, found: list[Violation]
) -> None:
    confirmed = history()
    confirmed.confirmations.append(Confirmation(SECOND, asked_at, at))

    assert violations(confirmed, end(), slack_seconds=0.3) == found


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Post(SECOND, began=0.1, ended=0.3, status=None), id="of an intake that was killed"),
        pytest.param(Post(SECOND, began=-9, ended=-4, status=503), id="whose call went on after its answer"),
        pytest.param(Post(SECOND, began=0.1, ended=0.6, status=200), id="that was answered 200"),
    ],
)
def test_a_confirmation_that_may_be_of_another_request_shows_no_violation(other: Post) -> None:
    confirmed = history()
    confirmed.posts.append(other)
    confirmed.confirmations.append(Confirmation(SECOND, 0.2, 0.4))

    assert violations(confirmed, end(), slack_seconds=0.3, outlives_seconds=15) == []


@pytest.mark.parametrize(("deadline", "count"), [(5.0, 1), (1.2, 0)])
def test_a_refusal_right_after_the_confirmation_is_a_violation_where_no_deadline_was_near(
    deadline: float, count: int
) -> None:
    confirmed = history()
    confirmed.confirmations.append(Confirmation(SECOND, 0.2, 0.9))

    found = violations(confirmed, end(), slack_seconds=0.3, deadline_seconds=deadline)

    assert found == [Violation(oracle.REFUSED_THOUGH_CONFIRMED, SECOND)] * count


def test_what_was_destroyed_after_it_was_posted_is_not_missed() -> None:
    destroyed = history()
    destroyed.destroyed = [Destroyed(SECOND, at=2.5), Destroyed(BAD, at=2.5)]

    assert violations(destroyed, replace(end(), objects={PLAIN: FIRST}, dead_letters=[])) == []


def test_what_was_posted_again_after_it_was_destroyed_is_missed() -> None:
    destroyed = history()
    destroyed.destroyed = [Destroyed(SECOND, at=1.5)]

    assert violations(destroyed, replace(end(), objects={PLAIN: FIRST})) == [Violation(oracle.LOST, SECOND)]
