"""Opens the queue that a URL names: its scheme picks the adapter, and only that adapter and its SDK are imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from checkpoint.message_queue.port import ReceivingQueue, SendingQueue


def open_sending(url: str) -> AbstractAsyncContextManager[SendingQueue]:
    """The sending half: opened on entry; on exit it finishes what is under way and closes.

    url: `sqlite:///relative/path.db` or `sqlite:////absolute/path.db`, `?max_receives=20` for another number than
    that; an SQS queue's URL; `memory:anything` for a queue inside this process.
    Raises ValueError for another scheme. A queue that is out of reach is an error of the calls, not of opening.
    """
    return _adapter(url).open_sending(url)


def open_receiving(url: str) -> AbstractAsyncContextManager[ReceivingQueue]:
    """The receiving half; see `open_sending`."""
    return _adapter(url).open_receiving(url)


class _Adapter(Protocol):
    def open_sending(self, url: str) -> AbstractAsyncContextManager[SendingQueue]: ...
    def open_receiving(self, url: str) -> AbstractAsyncContextManager[ReceivingQueue]: ...


def _adapter(url: str) -> _Adapter:
    match url.partition(":")[0]:
        case "sqlite":
            from checkpoint.message_queue.sqlite import adapter as sqlite  # noqa: PLC0415

            return sqlite
        case "https" | "http":
            from checkpoint.message_queue.sqs import adapter as sqs  # noqa: PLC0415

            return sqs
        case "memory":
            from checkpoint.message_queue import memory  # noqa: PLC0415

            return memory
    # The URL itself stays out of the message: it may carry a password.
    raise ValueError("QUEUE_URL must begin with sqlite:///, https://, http:// or memory:")
