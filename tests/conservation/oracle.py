"""The oracle: whether every e-mail that was answered 200 is kept exactly once, and nothing else is."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conservation.history import End, History, Post

LOST: Final = "lost"
DOUBLED: Final = "doubled"
NEVER_POSTED: Final = "never_posted"
MISNAMED: Final = "misnamed"
CHANGED: Final = "changed"
REFUSED_THOUGH_CONFIRMED: Final = "refused_though_confirmed"
LEFT_ON_THE_QUEUE: Final = "left_on_the_queue"
WRONGLY_DEAD_LETTERED: Final = "wrongly_dead_lettered"
NOT_DEAD_LETTERED: Final = "not_dead_lettered"


class Violation(NamedTuple):
    """One promise that was broken. what: a constant of this module. where: an identity, a name or a count."""

    what: str
    where: str


def violations(
    history: History,
    end: End,
    *,
    slack_seconds: float = 0,
    deadline_seconds: float = 0,
    outlives_seconds: float = 0,
) -> list[Violation]:
    """Every promise that was broken; none of them may be.

    slack_seconds: what a confirmation may need from where it was seen until the intake has read it.
    deadline_seconds: for which an intake waits for one; a request that was answered sooner needs no slack.
    outlives_seconds: for which a call may go on, retries included, after its request was answered or its client went.
    """
    return [
        *_of_objects(history, end),
        *(Violation(CHANGED, name) for name in end.changed),
        *(
            Violation(REFUSED_THOUGH_CONFIRMED, each)
            for each in sorted(_refused(history, slack_seconds, deadline_seconds, outlives_seconds))
        ),
        *([Violation(LEFT_ON_THE_QUEUE, str(end.waiting))] if end.waiting else []),
        *(Violation(WRONGLY_DEAD_LETTERED, each) for each in sorted(set(end.dead_letters) - history.bad)),
        *(Violation(NOT_DEAD_LETTERED, each) for each in sorted(_promised_bad(history) - set(end.dead_letters))),
    ]


def _promised_bad(history: History) -> set[str]:
    return history.bad - {each.identity for each in history.destroyed}


def _of_objects(history: History, end: End) -> Iterator[Violation]:
    objects_of = Counter(end.objects.values())
    for identity in sorted(history.kept - objects_of.keys()):
        yield Violation(LOST, identity)
    for identity, count in sorted(objects_of.items()):
        if count > 1:
            yield Violation(DOUBLED, identity)
    for name, identity in sorted(end.objects.items()):
        if identity not in history.timestreams:
            yield Violation(NEVER_POSTED, name)
            continue
        stem = f"sqs_message_{history.timestreams[identity]}"
        plain = f"{stem}.json"
        # Where the first name is free, it is the e-mail's own; the third one only serves a collision of 64 bits.
        is_named_well = name == plain or (name == f"{stem}_{identity[:16]}.json" and plain in end.objects)
        if not is_named_well:
            yield Violation(MISNAMED, name)


def _refused(history: History, slack_seconds: float, deadline_seconds: float, outlives_seconds: float) -> set[str]:
    """E-mails that the queue confirmed while their client waited, and that were answered otherwise all the same.

    Where a client posts one e-mail several times, a call cannot be told to be the one request's or the other's. So all
    that may have been its own must have waited for it, and none of them have been answered 200.
    """
    posts_of: defaultdict[str, list[Post]] = defaultdict(list)
    for post in history.posts:
        posts_of[post.identity].append(post)
    refused = set()
    for confirmation in history.confirmations:
        perhaps_its_own = [
            post
            for post in posts_of[confirmation.identity]
            if post.began <= confirmation.at and confirmation.asked_at <= post.ended + outlives_seconds
        ]
        if perhaps_its_own and all(
            post.began <= confirmation.asked_at
            and confirmation.at + _slack(post, slack_seconds, deadline_seconds) <= post.ended
            and post.status not in {None, 200}
            for post in perhaps_its_own
        ):
            refused.add(confirmation.identity)
    return refused


def _slack(post: Post, slack_seconds: float, deadline_seconds: float) -> float:
    is_long_before_its_deadline = post.ended - post.began < deadline_seconds - slack_seconds
    return 0 if is_long_before_its_deadline else slack_seconds
