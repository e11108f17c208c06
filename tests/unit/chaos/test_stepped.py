"""The launcher that kills a program at a step: each step of the embedded world is one that the program comes to."""

from __future__ import annotations

import os
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

import pytest

from chaos import stepped
from chaos.stepped import Death
from checkpoint.message_queue.sqlite.adapter import open_receiving, open_sending

if TYPE_CHECKING:
    from pathlib import Path


class Noted(Death):
    """Kills nothing, and keeps the steps that were passed."""

    def __init__(self) -> None:
        super().__init__("", after_seconds=0, passes=0)
        self.steps: list[str] = []

    def passed(self, step: str) -> None:
        self.steps.append(step)


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Noted:
    death = Noted()
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=stepped.connection_class(death)))
    return death


@pytest.mark.parametrize("length", [10, 10_000])  # whose state the queue keeps in different tables
async def test_each_commit_of_the_queue_is_a_step(noted: Noted, tmp_path: Path, length: int) -> None:
    url = f"sqlite:///{tmp_path}/queue.db"
    async with open_sending(url) as sending, open_receiving(url) as receiving:
        await sending.send([b"x" * length])
        await sending.send([b"x" * length] * 2)
        messages = await receiving.receive(3, wait_seconds=0, visibility_seconds=30)
        await receiving.change_visibility(messages, 60)
        await receiving.dead_letter(messages[0], "bad")
        await receiving.delete(messages[1:])

    words = ["send", "send", "receive", "change_visibility", "dead_letter", "delete"]
    assert noted.steps == [f"{when}_{word}_commit" for word in words for when in ("before", "after")]


async def test_a_step_is_passed_before_the_call_and_after_it_and_not_after_one_that_failed() -> None:
    class Store:
        async def create(self, name: str) -> str:
            if not name:
                raise OSError
            return name

    noted, store = Noted(), Store()
    stepped._step_around(store, {"create": "object_create"}, noted)

    assert await store.create("name") == "name"
    with pytest.raises(OSError):  # noqa: PT011  it is the one raised above
        await store.create("")

    assert noted.steps == ["before_object_create", "after_object_create", "before_object_create"]
    assert isinstance(store, Store)


def test_a_death_comes_at_its_step_after_so_many_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: killed.append(pid))
    death = Death("before_delete", after_seconds=0, passes=2)

    for _ in range(2):
        death.passed("before_delete")
        death.passed("after_delete")
    assert killed == []
    death.passed("before_delete")
    assert len(killed) == 1
