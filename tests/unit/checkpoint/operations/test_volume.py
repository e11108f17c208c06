"""What is free on a volume, also on one that does not answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from checkpoint.operations.volume import Free

if TYPE_CHECKING:
    import pytest


def test_it_is_what_the_system_says() -> None:
    assert Free(lambda: 5).read() == 5


def test_it_is_not_known_where_the_system_refuses() -> None:
    def refuse() -> int:
        raise FileNotFoundError

    assert Free(refuse).read() is None


def test_who_reads_while_it_is_asked_gets_the_same_answer() -> None:
    asked, answering = threading.Event(), threading.Event()

    def ask() -> int:
        asked.set()
        answering.wait()
        return 5

    volume = Free(ask)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(volume.read)
        assert asked.wait(5)
        second = pool.submit(volume.read)
        wait([second], timeout=0.05)
        answering.set()
        assert (first.result(), second.result()) == (5, 5)


def test_a_volume_that_does_not_answer_keeps_nobody_waiting_for_long_and_only_one_asks_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("checkpoint.operations.volume._PATIENCE_SECONDS", 0.05)
    answering, asked = threading.Event(), 0

    def ask() -> int:
        nonlocal asked
        asked += 1
        answering.wait()
        return 5

    volume = Free(ask)
    began = time.monotonic()
    try:
        assert [volume.read() for _ in range(3)] == [None] * 3
        assert time.monotonic() - began < 2
        assert asked == 1
    finally:
        answering.set()
    deadline = time.monotonic() + 5
    while volume.read() != 5:
        assert time.monotonic() < deadline
