"""What happened to e-mails, as those outside Checkpoint saw it: posts, their answers, and what was left in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Post(NamedTuple):
    """One request of a client.

    identity: of its e-mail: the SHA-256 of the bytes to archive, 64 hexadecimal digits.
    began, ended: seconds by one clock. status: None where no answer came.
    """

    identity: str
    began: float
    ended: float
    status: int | None


class Destroyed(NamedTuple):
    """A message that was on the queue when somebody destroyed the queue's file, and with it the message's only copy.

    identity: the SHA-256 of its bytes. at: when.
    """

    identity: str
    at: float


class Confirmation(NamedTuple):
    """The queue's word, given to the intake, that an e-mail is durable.

    asked_at: when the call began, after which the intake had the e-mail. at: when the answer reached the intake.
    """

    identity: str
    asked_at: float
    at: float


@dataclass
class History:
    """What was done to Checkpoint. Times are seconds by one clock.

    timestreams: of each e-mail that was ever posted, by its identity.
    posts: every request.
    bad: the SHA-256 of each message put straight on the queue that is no e-mail.
    confirmations: where the queue's answers were seen.
    destroyed: what was destroyed, and so is no longer promised: only what was posted after that is.
    """

    timestreams: dict[str, str] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)
    confirmations: list[Confirmation] = field(default_factory=list)
    destroyed: list[Destroyed] = field(default_factory=list)

    @property
    def kept(self) -> set[str]:
        """The identities of the e-mails that were answered 200, and not destroyed after they were posted."""
        destroyed_at: dict[str, float] = {}
        for identity, at in self.destroyed:
            destroyed_at[identity] = max(at, destroyed_at.get(identity, at))
        return {
            post.identity
            for post in self.posts
            if post.status == 200 and post.began > destroyed_at.get(post.identity, post.began - 1)
        }


@dataclass(frozen=True)
class End:
    """What there is when all faults are over and nothing moves any more, read past Checkpoint's own adapters.

    objects: the SHA-256 of each object's bytes, by its name.
    changed: names of objects that were ever seen with other bytes than before, or that went away.
    waiting: messages on the queue, hidden ones too.
    dead_letters: the SHA-256 of each message on the dead-letter queue.
    """

    objects: Mapping[str, str]
    changed: Sequence[str]
    waiting: int
    dead_letters: Sequence[str]


def identity(body: bytes) -> str:
    """The identity of an e-mail, of an object and of a message: the SHA-256 of its bytes, in hexadecimal digits."""
    return sha256(body).hexdigest()
