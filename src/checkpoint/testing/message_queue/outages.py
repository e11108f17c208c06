"""A queue that cannot be reached: every call says so, and nothing of what it was about."""

from __future__ import annotations

import asyncio
import re
import traceback
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.port import Message, QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from checkpoint.testing.message_queue.under_test import QueueUnderTest


class Outages:
    """Every call of both halves."""

    async def test_a_queue_out_of_reach_is_said_to_be_so_without_a_word_of_content(self, queue: QueueUnderTest) -> None:
        message = Message(b"the secret content", "the-secret-receipt", 1)

        async def refused(call: Awaitable[object]) -> str:
            with pytest.raises(QueueUnavailableError) as caught:
                await call
            return "".join(traceback.format_exception(caught.value))

        async with queue.open_out_of_reach() as (sending, receiving):
            texts = await asyncio.gather(
                refused(sending.send([message.body])),
                refused(sending.probe()),
                refused(receiving.receive(1, wait_seconds=0, visibility_seconds=1)),
                refused(receiving.delete([message])),
                refused(receiving.change_visibility([message], 1)),
                refused(receiving.dead_letter(message, "is not JSON.")),
            )

        for text in texts:
            assert re.search(r"QueueUnavailableError: \S", text)  # it says why
            assert message.body.decode() not in text
            assert message.receipt not in text
