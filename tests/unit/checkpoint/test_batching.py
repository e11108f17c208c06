"""Calls shared by those who come at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from checkpoint.batching.batcher import Batcher
from checkpoint.batching.entry import OverloadedError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEADLINE = 5


class Calls:
    """A called side that records its batches and answers when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun = asyncio.Condition()
        self.let = asyncio.Event()
        self.let.set()

    async def __call__(self, items: Sequence[str]) -> list[str]:
        async with self.begun:
            self.batches.append(list(items))
            self.begun.notify_all()
        await self.let.wait()
        if "fails" in items:
            raise ConnectionError
        return [item.upper() for item in items]

    async def have_begun(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE), self.begun:
            await self.begun.wait_for(lambda: len(self.batches) >= count)


@pytest.fixture
def calls() -> Calls:
    return Calls()


async def submit_all(batcher: Batcher[str, str], *items: str) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(batcher.submit(item)) for item in items]
    await asyncio.sleep(0)  # each task runs up to its wait
    return tasks


async def test_a_lone_item_waits_for_nobody(calls: Calls) -> None:
    assert await Batcher(calls, entries=10).submit("a") == "A"
    assert calls.batches == [["a"]]


async def test_what_waits_while_a_call_is_under_way_shares_the_next_one(calls: Calls) -> None:
    batcher = Batcher(calls, entries=10)
    calls.let.clear()
    first = await submit_all(batcher, "a")
    await calls.have_begun(1)
    others = await submit_all(batcher, "b", "c", "d")
    calls.let.set()
    assert await asyncio.gather(*first, *others) == ["A", "B", "C", "D"]
    assert calls.batches == [["a"], ["b", "c", "d"]]


async def test_a_call_carries_no_more_entries_than_allowed(calls: Calls) -> None:
    batcher = Batcher(calls, entries=2)
    assert await asyncio.gather(*await submit_all(batcher, *"abcde")) == list("ABCDE")
    assert calls.batches == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_call_carries_no_more_bytes_than_allowed_but_always_one_item(calls: Calls) -> None:
    batcher = Batcher(calls, entries=10, payload_bytes=lambda: 4, size=len)
    await asyncio.gather(*await submit_all(batcher, "aa", "bb", "c", "dddddd", "e"))
    assert calls.batches == [["aa", "bb"], ["c"], ["dddddd"], ["e"]]


async def test_several_calls_may_be_under_way_together(calls: Calls) -> None:
    batcher = Batcher(calls, entries=1, calls_at_once=2)
    calls.let.clear()
    tasks = await submit_all(batcher, *"abc")
    await calls.have_begun(2)
    assert calls.batches == [["a"], ["b"]]
    calls.let.set()
    assert await asyncio.gather(*tasks) == list("ABC")


async def test_a_failed_call_fails_each_of_its_own_items_and_no_other(calls: Calls) -> None:
    batcher = Batcher(calls, entries=2)
    outcomes = await asyncio.gather(*await submit_all(batcher, "a", "fails", "c"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError, str]


async def test_an_answer_for_too_few_items_fails_them_all_instead_of_leaving_one_waiting() -> None:
    async def forgetful(items: Sequence[str]) -> list[str]:
        return list(items)[1:]

    outcomes = await asyncio.gather(*await submit_all(Batcher(forgetful, entries=9), "a", "b"), return_exceptions=True)
    assert isinstance(outcomes[1], ValueError)


async def test_more_than_may_wait_is_refused_at_once_and_taken_again_later(calls: Calls) -> None:
    batcher = Batcher(calls, entries=1, waiting_entries=2)
    calls.let.clear()
    tasks = await submit_all(batcher, "a", "b")
    with pytest.raises(OverloadedError):
        await batcher.submit("c")
    calls.let.set()
    await asyncio.gather(*tasks)
    assert await batcher.submit("d") == "D"


async def test_more_bytes_than_may_wait_are_refused_but_a_single_large_item_is_not(calls: Calls) -> None:
    batcher = Batcher(calls, entries=1, waiting_bytes=4, size=len)
    calls.let.clear()
    tasks = await submit_all(batcher, "aaaaaaaa")
    with pytest.raises(OverloadedError):
        await batcher.submit("b")
    calls.let.set()
    await asyncio.gather(*tasks)
    assert batcher.bytes_held == 0


async def test_a_cancelled_item_leaves_the_line_and_frees_its_place(calls: Calls) -> None:
    batcher = Batcher(calls, entries=1, waiting_entries=2)
    calls.let.clear()
    first, second = await submit_all(batcher, "a", "b")
    await calls.have_begun(1)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert batcher.entries_held == 1
    calls.let.set()
    assert await first == "A"
    await batcher.drain()
    assert calls.batches == [["a"]]


async def test_a_cancelled_item_whose_call_is_under_way_leaves_its_neighbours_unharmed(calls: Calls) -> None:
    batcher = Batcher(calls, entries=2)
    calls.let.clear()
    first, second = await submit_all(batcher, "a", "b")
    await calls.have_begun(1)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    calls.let.set()
    assert await second == "B"


async def test_draining_waits_for_all_that_is_under_way(calls: Calls) -> None:
    batcher = Batcher(calls, entries=1)
    calls.let.clear()
    tasks = await submit_all(batcher, "a", "b")
    drained = asyncio.create_task(batcher.drain())
    await calls.have_begun(1)
    assert not drained.done()
    calls.let.set()
    async with asyncio.timeout(DEADLINE):
        await drained
    assert all(task.done() for task in tasks)


@pytest.mark.parametrize("steps", range(8))
async def test_an_item_that_comes_just_as_the_last_call_ends_is_not_forgotten(calls: Calls, steps: int) -> None:
    batcher = Batcher(calls, entries=10)

    async def come_late() -> str:
        for _ in range(steps):
            await asyncio.sleep(0)
        async with asyncio.timeout(DEADLINE):
            return await batcher.submit("late")

    late = asyncio.create_task(come_late())
    assert await batcher.submit("first") == "FIRST"
    assert await late == "LATE"


async def test_with_lingering_a_full_call_goes_at_once_and_the_rest_after_it(calls: Calls) -> None:
    batcher = Batcher(calls, entries=2, linger_seconds=3600)
    first, second, third = await submit_all(batcher, "a", "b", "c")
    assert [await first, await second] == ["A", "B"]
    assert not third.done()
    await batcher.drain()
    assert await third == "C"
    assert calls.batches == [["a", "b"], ["c"]]


async def test_with_lingering_items_that_come_one_after_another_share_a_call(calls: Calls) -> None:
    batcher = Batcher(calls, entries=10, linger_seconds=0.05)
    tasks = []
    for item in "abc":
        tasks += await submit_all(batcher, item)
    async with asyncio.timeout(DEADLINE):
        assert [await task for task in tasks] == ["A", "B", "C"]
    assert calls.batches == [["a", "b", "c"]]


async def test_no_item_lingers_longer_than_it_may_because_others_came_before(calls: Calls) -> None:
    batcher = Batcher(calls, entries=2, linger_seconds=0.02)
    async with asyncio.timeout(DEADLINE):
        for _ in range(3):
            tasks = await submit_all(batcher, "a", "b", "late")
            assert [await task for task in tasks] == ["A", "B", "LATE"]
    assert calls.batches == [["a", "b"], ["late"]] * 3


async def test_a_lingering_item_that_is_cancelled_makes_no_call(calls: Calls) -> None:
    batcher = Batcher(calls, entries=10, linger_seconds=0.01)
    (task,) = await submit_all(batcher, "a")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(DEADLINE):
        assert await batcher.submit("b") == "B"
    assert calls.batches == [["b"]]


async def test_an_item_that_does_not_linger_goes_at_once_with_those_that_wait(calls: Calls) -> None:
    batcher = Batcher(calls, entries=10, linger_seconds=3600)
    (lingering,) = await submit_all(batcher, "a")
    async with asyncio.timeout(DEADLINE):
        assert await batcher.submit("b", lingers=False) == "B"
        assert await lingering == "A"
    assert calls.batches == [["a", "b"]]
