"""Opens the queue that a URL names: its scheme picks the adapter, and only that adapter and its SDK are imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, cast

from checkpoint.adapters import Registry

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from checkpoint.message_queue.admin import AdminQueue
    from checkpoint.message_queue.port import ReceivingQueue, SendingQueue


class QueueAdapter(Protocol):
    """What a queue's adapter, mostly a module, must have.

    For the command line it has `open_admin(url)` besides, which gives an AdminQueue as the others give their halves.
    For `--check` it has the coroutines `inspect_sending(url)` and `inspect_receiving(url)`: they give in a few words
    what that half would find, change nothing, use no right that the half itself has not, and raise as it would.
    """

    def open_sending(self, url: str) -> AbstractAsyncContextManager[SendingQueue]:
        """The sending half: opened on entry; on exit it finishes what is under way and closes.

        Raises ValueError, here or on entry, for a URL that it cannot use; the text says how to write one, and never
        repeats what may hold a password. A queue that is out of reach is an error of the calls, not of opening.
        """
        ...

    def open_receiving(self, url: str) -> AbstractAsyncContextManager[ReceivingQueue]:
        """The receiving half; as `open_sending`."""
        ...


QUEUES: Final = Registry[QueueAdapter](
    "checkpoint.queues",
    {
        "sqlite": "checkpoint.message_queue.sqlite.adapter",
        "https": "checkpoint.message_queue.sqs.adapter",
        "http": "checkpoint.message_queue.sqs.adapter",
    },
    functions=("open_sending", "open_receiving"),
)


def open_sending(url: str) -> AbstractAsyncContextManager[SendingQueue]:
    """The sending half of the queue at a URL; see `QueueAdapter`.

    url: `sqlite:///relative/path.db` or `sqlite:////absolute/path.db`, `?max_receives=20` for another number than
    that; an SQS queue's URL; or what an installed package opens. Raises ValueError for any other.
    """
    adapter, url = QUEUES.find(url)
    return adapter.open_sending(url)


def open_receiving(url: str) -> AbstractAsyncContextManager[ReceivingQueue]:
    """The receiving half; see `open_sending`."""
    adapter, url = QUEUES.find(url)
    return adapter.open_receiving(url)


def open_admin(url: str) -> AbstractAsyncContextManager[AdminQueue]:
    """The operator's part; see `open_sending`. Raises ValueError, too, for a queue whose adapter has no such part."""
    adapter, url = QUEUES.find(url)
    opening = getattr(adapter, "open_admin", None)
    if opening is None:
        raise ValueError("the adapter of this queue has no open_admin, which the command line needs.")
    return cast("AbstractAsyncContextManager[AdminQueue]", opening(url))


async def inspect_sending(url: str) -> str:
    """What the sending half would find, in a few words; nothing is changed.

    Raises ValueError for a URL that cannot be used, QueueUnavailableError, NoDeadLetterQueueError.
    """
    return await _inspect(url, "inspect_sending")


async def inspect_receiving(url: str) -> str:
    """The same for the receiving half."""
    return await _inspect(url, "inspect_receiving")


async def _inspect(url: str, function: str) -> str:
    adapter, url = QUEUES.find(url)
    inspecting = getattr(adapter, function, None)
    if inspecting is None:
        return "not asked: its adapter cannot tell without a message"
    return cast("str", await inspecting(url))
