"""Tokens read anew while the service runs."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from processing_requests.tokens import Tokens, refresh_periodically
from unit.processing_requests.posted_emails import posted
from unit.processing_requests.waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from unit.processing_requests.intake import Intake


class Store:
    """A parameter store that gives, or raises, one of these at each read, and the last of them again and again."""

    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)
        self._reads = 0
        self.all_used = asyncio.Event()

    async def fetch(self) -> str:
        self._reads += 1
        if self._reads > len(self._answers):  # whoever reads once more has done with what came before
            self.all_used.set()
        answer = self._answers[min(self._reads, len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


@asynccontextmanager
async def read_anew(tokens: Tokens, *answers: str | Exception) -> AsyncIterator[None]:
    """Keep the tokens fresh until each of these has been read."""
    store = Store(*answers)
    task = asyncio.create_task(refresh_periodically(tokens, store.fetch, every_seconds=0.001))
    async with asyncio.timeout(DEADLINE):
        await store.all_used.wait()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_token_is_rotated_while_clients_go_on(intake: Intake) -> None:
    async with read_anew(intake.service.tokens, "foobar,new"):
        assert (await intake.post(posted(token="foobar"))).status_code == 200
        assert (await intake.post(posted(token="new"))).status_code == 200
    async with read_anew(intake.service.tokens, "new"):
        assert (await intake.post(posted(token="foobar"))).status_code == 401
        assert (await intake.post(posted(token="new"))).status_code == 200


@pytest.mark.parametrize("failure", [OSError("s3cr3t"), KeyError("s3cr3t"), TimeoutError(), "", " ", ",,"], ids=repr)
async def test_a_failed_or_empty_read_keeps_the_last_good_tokens_and_is_logged_once(
    failure: str | Exception, lines: list[dict[str, str]]
) -> None:
    tokens = Tokens("old")
    async with read_anew(tokens, "good", failure, failure, failure):
        assert tokens.accept("good")
        assert not tokens.accept("old")
        assert not tokens.accept("")
    assert [(line["log_level"], line["event"]) for line in lines] == [("warning", "tokens_refresh_failed")]
    assert "s3cr3t" not in repr(lines)


async def test_a_refresh_after_a_failed_one_is_logged_and_takes_the_new_tokens(lines: list[dict[str, str]]) -> None:
    tokens = Tokens("old")
    async with read_anew(tokens, OSError(), OSError(), "new", OSError(), "newer"):
        assert tokens.accept("newer")
        assert not tokens.accept("new")
        assert not tokens.accept("old")
    assert [line["event"] for line in lines] == ["tokens_refresh_failed", "tokens_refreshed"] * 2


def test_there_is_no_starting_without_a_token() -> None:
    for nothing in ("", " ", ",", " , "):
        with pytest.raises(ValueError, match="TOKEN: holds no token"):
            Tokens(nothing)
