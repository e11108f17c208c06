"""The statements on the queue's file: a row of `messages` for each message.

An UPDATE whose new row has another length writes the whole row anew, and the row holds the body. For a body on overflow
pages that takes as much room again in the file and in its write-ahead log, which a full disk does not have. So once a
message with such a body is received, its state is in a row of `long_messages`, and its own row only says so: by
visible_at = 1, which SQLite stores in as many bytes as the 0 of a message that was never received, namely none
(https://sqlite.org/fileformat2.html#record_format, serial types 8 and 9). Then only the row's first page is written.
"""

from __future__ import annotations

import json
from itertools import accumulate
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# The longest row without overflow pages has 4,061 bytes (https://sqlite.org/fileformat2.html#b_tree_pages: U-35, with
# pages of 4,096). Beside the body stand five numbers of up to 8 bytes, a traceparent of 55 and the row's header.
LONG_BYTES: Final = 3_944

SEND: Final = "INSERT INTO messages (sent_at, body) VALUES (?, ?)"
# ?2: all bodies, one behind the other. ?3: where each of them begins, from 1, and its length, as one JSON object.
# substr gives NULL where there is not a single byte to take from.
SEND_ALL: Final = """
INSERT INTO messages (sent_at, body)
SELECT ?1, coalesce(substr(?2, key, value), x'') FROM json_each(?3)
"""
SEND_TRACED: Final = "INSERT INTO messages (sent_at, body, traceparent) VALUES (?, ?, ?)"
# ?3: an array of beginnings, lengths and traceparents.
SEND_ALL_TRACED: Final = """
INSERT INTO messages (sent_at, body, traceparent)
SELECT ?1, coalesce(substr(?2, json_extract(value, '$[0]'), json_extract(value, '$[1]')), x''),
    json_extract(value, '$[2]')
FROM json_each(?3)
"""
PROBE: Final = "INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1"

# A message is hidden where visible_at - hidden_for <= now < visible_at. So what was received in the future, by a clock
# that stood later than this one stands now, is visible.
ANY_VISIBLE: Final = """
SELECT EXISTS (SELECT 1 FROM messages WHERE visible_at <= ?1 AND visible_at <> 1) OR EXISTS (
    SELECT 1 FROM messages INDEXED BY messages_by_hidden_at
    WHERE visible_at > 0 AND visible_at - hidden_for > ?1 AND visible_at <> 1
) OR EXISTS (
    SELECT 1 FROM long_messages CROSS JOIN messages USING (id)
    WHERE long_messages.visible_at <= ?1 AND +messages.visible_at = 1
) OR EXISTS (
    SELECT 1 FROM long_messages CROSS JOIN messages USING (id)
    WHERE long_messages.visible_at - long_messages.hidden_for > ?1 AND +messages.visible_at = 1
)
"""
# Of each: id, receipt, receive count, the body's length, whether it was never received, whether it has a row in
# long_messages, and if it is not long its body, and what stands behind the body in its row: when it was sent, and its
# traceparent. The length is in the row's header, so no long body is read.
# CROSS JOIN and + keep SQLite from starting with `messages`: https://sqlite.org/optoverview.html#manual_control
_IF_SHORT: Final = f"CASE WHEN length(body) <= {LONG_BYTES} THEN"
_SHORT: Final = f"{_IF_SHORT} body END AS body, {_IF_SHORT} sent_at END AS sent_at, {_IF_SHORT} traceparent END"
VISIBLE: Final = f"""
SELECT id, receipt, receive_count, bytes, is_new, is_apart, body, sent_at, traceparent FROM (
    SELECT visible_at, id, receipt, receive_count, length(body) AS bytes, visible_at = 0 AS is_new, 0 AS is_apart,
        {_SHORT} AS traceparent
    FROM messages WHERE visible_at <= ?1 AND visible_at <> 1
    UNION ALL
    SELECT long_messages.visible_at, long_messages.id, long_messages.receipt, long_messages.receive_count,
        length(body), 0, 1, NULL, NULL, NULL
    FROM long_messages CROSS JOIN messages USING (id)
    WHERE long_messages.visible_at <= ?1 AND +messages.visible_at = 1
    ORDER BY 1, 2 LIMIT ?2
)
UNION ALL
SELECT id, receipt, receive_count, length(body), 0, 0, {_SHORT} FROM messages INDEXED BY messages_by_hidden_at
WHERE visible_at > 0 AND visible_at - hidden_for > ?1 AND visible_at <> 1
UNION ALL
SELECT long_messages.id, long_messages.receipt, long_messages.receive_count, length(body), 0, 1, NULL, NULL, NULL
FROM long_messages CROSS JOIN messages USING (id)
WHERE long_messages.visible_at - long_messages.hidden_for > ?1 AND +messages.visible_at = 1
LIMIT ?2
"""  # noqa: S608  a constant
LONG_BODIES: Final = "SELECT id, body, sent_at, traceparent FROM messages WHERE id IN (SELECT value FROM json_each(?))"
RECEIVE: Final = "UPDATE messages SET visible_at = ?, hidden_for = ?, receipt = ?, receive_count = ? WHERE id = ?"
SET_APART: Final = "UPDATE messages SET visible_at = 1 WHERE id = ?"
RECEIVE_LONG: Final = """
REPLACE INTO long_messages (visible_at, hidden_for, receipt, receive_count, id) VALUES (?, ?, ?, ?, ?)
"""
HIDE: Final = "UPDATE messages SET visible_at = ?, hidden_for = ? WHERE id = ? AND receipt = ?"
HIDE_LONG: Final = "UPDATE long_messages SET visible_at = ?, hidden_for = ? WHERE id = ? AND receipt = ?"
DELETE: Final = "DELETE FROM messages WHERE id = ? AND receipt = ?"
DELETE_LONG: Final = "DELETE FROM long_messages WHERE id = ? AND receipt = ?"
DELETE_BODY: Final = "DELETE FROM messages WHERE id = ?"
DEAD_LETTER: Final = """
INSERT INTO dead_letters (sent_at, traceparent, dead_at, receive_count, reason, body)
SELECT sent_at, traceparent, ?, receive_count, ?, body FROM messages WHERE id = ? AND receipt = ?
"""
LONG: Final = """
SELECT messages.sent_at, messages.traceparent, long_messages.receive_count, messages.body
FROM long_messages CROSS JOIN messages USING (id) WHERE id = ? AND long_messages.receipt = ?
"""
DEAD_LETTER_LONG: Final = """
INSERT INTO dead_letters (sent_at, traceparent, receive_count, body, dead_at, reason) VALUES (?, ?, ?, ?, ?, ?)
"""
# A later visible_at of the same length, and nothing else: it must not write a long body anew.
RELEASE: Final = "UPDATE messages SET visible_at = ?1 WHERE visible_at > ?1 AND hidden_for > 0"
RELEASE_LONG: Final = "UPDATE long_messages SET visible_at = ?1 WHERE visible_at > ?1 AND hidden_for > 0"


def visible_from(moment: float) -> float:
    """What to write as `visible_at`: never 1, which has a meaning of its own. That is a second after 1970 began."""
    return moment if moment != 1 else 1.001


def insertion(
    bodies: Sequence[bytes], sent_at: float, traceparents: Sequence[str | None] | None
) -> tuple[str, tuple[object, ...]]:
    """The statement that sends bodies, and its values.

    traceparents: of each body; None where none has one.
    """
    if len(bodies) == 1:  # which may be long, so it is not copied
        return (SEND, (sent_at, *bodies)) if traceparents is None else (SEND_TRACED, (sent_at, *bodies, *traceparents))
    lengths = [len(body) for body in bodies]
    places = zip(accumulate(lengths, initial=1), lengths, strict=False)  # and where the next one would begin
    if traceparents is not None:
        traced = json.dumps([(*place, each) for place, each in zip(places, traceparents, strict=True)])
        return SEND_ALL_TRACED, (sent_at, b"".join(bodies), traced)
    layout = ",".join([f'"{start}":{length}' for start, length in places])
    return SEND_ALL, (sent_at, b"".join(bodies), f"{{{layout}}}")
