"""How much is in the queue's file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import Depth

if TYPE_CHECKING:
    import sqlite3

    from checkpoint.message_queue.sqlite.reading import Reader

# All is counted by indexes, which have hundreds of rows on a page and no body: bench/queue_depth.py shows what that
# takes. What is hidden is found by an index too, and a message that is not long has its row looked at.
# The oldest is the one with the lowest id, for ids are given in the order of sending. Some rows of an older program, or
# made by hand, do not say when they were sent, so the first few are asked.
_DEPTH: Final = """
SELECT
    (SELECT count(*) FROM messages),
    (SELECT count(*) FROM messages WHERE visible_at > ?1 AND visible_at - hidden_for <= ?1) + (
        SELECT count(*) FROM long_messages CROSS JOIN messages USING (id)
        WHERE long_messages.visible_at > ?1 AND long_messages.visible_at - long_messages.hidden_for <= ?1
            AND +messages.visible_at = 1
    ),
    (SELECT min(sent_at) FROM (SELECT sent_at FROM messages ORDER BY id LIMIT 8)),
    (SELECT count(*) FROM dead_letters)
"""


async def depth(reader: Reader) -> Depth:
    """As MeasuredQueue says; all numbers are of one moment.

    It takes longer the more messages there are, so ask once per some seconds; nobody waits for it meanwhile.
    """

    def count(connection: sqlite3.Connection, now: float) -> Depth:
        every, in_flight, oldest, dead_letters = connection.execute(_DEPTH, (now,)).fetchone()
        oldest_seconds = None if oldest is None else max(0.0, reader.clock.time() - oldest)
        return Depth(every - in_flight, in_flight, oldest_seconds, dead_letters)

    return await reader.run(count)
