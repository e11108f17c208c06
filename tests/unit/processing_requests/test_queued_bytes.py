"""What is queued of what was posted: its own bytes."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from checkpoint.email import Email
from checkpoint.message_queue.port import Limits
from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import email, posted, queued
from unit.processing_requests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def test_further_members_and_the_order_of_all_are_kept(intake: Intake) -> None:
    data = {"z": 1, **dict(reversed(email().items())), "a": {"c": [1, 2.5, None], "b": "ß"}, "token": "of the e-mail"}
    assert (await intake.post(posted(data))).status_code == 200
    assert intake.queued == [json.dumps(data).encode()]
    assert list(json.loads(intake.queued[0])) == list(data)


async def test_members_beside_data_are_not_kept(intake: Intake) -> None:
    body = json.dumps({"further": "x", "token": "foobar", "data": email(), "last": 1}).encode()
    assert (await intake.post(body)).status_code == 200
    assert intake.queued == [queued(email())]


async def test_numbers_keep_their_spelling_strings_their_escapes_and_tokens_their_spaces(intake: Intake) -> None:
    data = json.dumps(email(content="Grüße")).replace(
        "}", r', "n": 1.10,"e" :1e2, "x": "caf\u00e9\/", "big":\t123456789012345678901234567890  }'.replace(r"\t", "\t")
    )
    assert (await intake.post(f'{{"token": "foobar", "data":  {data} }}'.encode())).status_code == 200
    assert intake.queued == [data.encode()]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\n\n"])
async def test_line_breaks_between_tokens_become_spaces_so_that_an_object_is_one_line(
    intake: Intake, line_break: str
) -> None:
    indented = json.dumps(email(email_content="two\nlines"), indent=2).replace("\n", line_break)
    assert (await intake.post(f'{{"data": {indented}, "token": "foobar"}}'.encode())).status_code == 200
    assert intake.queued == [indented.replace("\n", " ").replace("\r", " ").encode()]


async def test_json_that_is_written_otherwise_is_another_email(intake: Intake) -> None:
    request = {"data": email(email_content="Grüße"), "token": "foobar"}
    for written in (json.dumps(request), json.dumps(request, ensure_ascii=False), json.dumps(request, indent=4)):
        assert (await intake.post(written.encode())).status_code == 200
    assert len(set(intake.queued)) == 3
    assert len({json.dumps(json.loads(body)) for body in intake.queued}) == 1


async def test_an_integer_timestream_stays_an_integer(intake: Intake) -> None:
    assert (await intake.post_data(email_timestream=1706213694)).status_code == 200
    assert b'"email_timestream": 1706213694,' in intake.queued[0]
    assert Email.read(intake.queued[0]).timestream == "1706213694"


async def test_the_message_id_is_the_sha_256_of_what_is_queued(intake: Intake) -> None:
    for content in ("one", "two", "\uffff"):
        response = await intake.post_data(email_content=content)
        assert response.headers["x-message-id"] == hashlib.sha256(intake.queued[-1]).hexdigest()


@pytest.mark.parametrize("character", ["\ufffe", "\uffff"])
async def test_the_two_characters_that_no_queue_takes_are_escaped(intake: Intake, character: str) -> None:
    data = email(email_content=f"a{character}b", **{f"named {character}": character})
    assert (await intake.post(posted(data))).status_code == 200
    assert character.encode() not in intake.queued[0]
    assert json.loads(intake.queued[0]) == data


@pytest.mark.parametrize(("setting", "queues"), [(2_000, 1_000), (1_000, 2_000)])
async def test_a_request_may_be_as_long_as_the_setting_says_and_the_queue_takes(setting: int, queues: int) -> None:
    limits = Limits(entries=10, payload_bytes=2_000, message_bytes=queues)
    intake = Intake(limits, max_request_bytes=setting)
    assert (await intake.post(posted().ljust(1_000))).status_code == 200
    response = await intake.post(posted().ljust(1_001))
    assert (response.status_code, response.content) == (413, b'{"error": "Request too large", "max_bytes": 1000}')
    assert len(intake.queued) == 1


async def test_an_email_that_the_two_escapes_make_longer_than_a_message_is_too_large() -> None:
    intake = Intake(max_request_bytes=1_000)
    body = posted(email(email_content="x")).replace(b'"x"', b'"' + "\uffff".encode() * 250 + b'"')
    assert len(body) < 1_000
    response = await intake.post(body)
    assert (response.status_code, response.content) == (413, b'{"error": "Request too large", "max_bytes": 1000}')
    assert intake.queued == []


async def test_an_email_of_five_mebibytes_is_taken_by_default(intake: Intake) -> None:
    intake = Intake(Limits(entries=256, payload_bytes=4_194_304, message_bytes=16_777_216))
    data = email(email_content="x" * 5 * 2**20)
    assert (await intake.post(posted(data))).status_code == 200
    assert intake.queued == [queued(data)]


async def test_until_the_queue_was_reached_nothing_is_taken_and_no_body_is_read() -> None:
    intake = Intake(Limits(entries=10, payload_bytes=262_144, message_bytes=None))
    asked_for: list[str] = []

    async def unread() -> AsyncIterator[bytes]:
        asked_for.append("the body")
        yield posted()

    response = await intake.post(unread())
    assert asked_for == []
    assert (response.status_code, response.content) == (503, b'{"error": "Queue unavailable"}')
    assert response.headers["retry-after"] == "5"


async def test_what_waits_for_the_queue_keeps_no_more_in_memory_than_its_own_bytes(intake: Intake) -> None:
    intake.queue.flowing.clear()
    body = json.dumps({"before": "x" * 100_000, "data": email(further=[{}] * 10_000), "token": "foobar"}).encode()
    tracemalloc.start()
    try:
        posting = asyncio.create_task(intake.post(body))
        await until(lambda: intake.waiting)
        gc.collect()
        sizes = [trace.size for trace in tracemalloc.take_snapshot().traces if trace.size > 10_000]
    finally:
        tracemalloc.stop()
        intake.queue.flowing.set()
    assert (await posting).status_code == 200
    [kept] = intake.queued
    assert [size for size in sizes if size > len(kept) + 100] == []
    assert sum(sizes) < 2 * len(kept)
