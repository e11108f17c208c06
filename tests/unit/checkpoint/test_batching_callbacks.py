"""Items that are put in line with a callback: their outcomes, their deadlines, and how they wait beside a call."""

from __future__ import annotations

import asyncio
import gc
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from checkpoint.batching.batcher import Batcher
from checkpoint.batching.entry import Failure, OverloadedError
from unit.checkpoint.manual_time import HeldCalls, ManualTime, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.usefixtures("time")


class Text(str):
    """A text that tells when it is gone."""

    __slots__ = ("__weakref__",)


class Outcomes(list[tuple[str, object]]):
    """What each item got, and in which order; of a Failure, the type of its error."""

    def put(self, batcher: Batcher[str, str], *items: str, lingers: bool = True) -> None:
        for item in items:
            batcher.put(item, partial(self._add, item), lingers=lingers)

    def _add(self, item: str, outcome: str | Failure) -> None:
        self.append((item, type(outcome.error) if isinstance(outcome, Failure) else outcome))


@pytest.fixture
async def time() -> ManualTime:
    return ManualTime(asyncio.get_running_loop())


@pytest.fixture
def calls() -> HeldCalls:
    return HeldCalls()


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes()


async def test_each_item_gets_the_outcome_of_its_own_in_order_and_none_of_them_at_once(outcomes: Outcomes) -> None:
    async def call(items: Sequence[str]) -> list[str]:
        return [item.upper() for item in items]

    outcomes.put(Batcher(call, entries=2), *"abc")
    assert outcomes == []
    await settle()
    assert outcomes == [("a", "A"), ("b", "B"), ("c", "C")]


async def test_a_call_that_fails_is_a_failure_of_each_of_its_items_with_what_it_raised(
    calls: HeldCalls, outcomes: Outcomes
) -> None:
    outcomes.put(Batcher(calls, entries=2), *"abc")
    await settle()
    await calls.fail(ConnectionError())
    await calls.end()
    assert outcomes == [("a", ConnectionError), ("b", ConnectionError), ("c", "C")]


@pytest.mark.parametrize("answered", [["A"], ["A", "B", "C"]], ids=["too few", "too many"])
async def test_a_call_that_answers_for_another_number_of_items_fails_for_all_of_them(
    calls: HeldCalls, outcomes: Outcomes, answered: list[str]
) -> None:
    outcomes.put(Batcher(calls, entries=2), *"ab")
    await settle()
    calls.under_way[0].ended.set_result(answered)
    await settle()
    assert outcomes == [("a", ValueError), ("b", ValueError)]


async def test_a_callback_that_raises_harms_no_neighbour_and_is_reported(calls: HeldCalls, outcomes: Outcomes) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    def careless(_: object) -> None:
        raise ZeroDivisionError

    batcher = Batcher(calls, entries=3, timeout_seconds=5)
    outcomes.put(batcher, "a")
    batcher.put("careless", careless)
    outcomes.put(batcher, "b")
    await settle()
    await calls.end()
    assert outcomes == [("a", "A"), ("b", "B")]
    assert [type(context["exception"]) for context in reported] == [ZeroDivisionError]
    assert batcher.entries_held == 0


async def test_a_callback_may_put_the_next_item_in_the_place_of_its_own(calls: HeldCalls, outcomes: Outcomes) -> None:
    batcher = Batcher(calls, entries=1, calls_at_once=2, waiting_entries=1)
    batcher.put("a", lambda _: outcomes.put(batcher, "b"))
    await settle()
    callers = list(batcher._callers)
    await calls.end()
    assert calls.carried == [["a"], ["b"]]
    assert list(batcher._callers) == callers
    await calls.end()
    assert outcomes == [("b", "B")]


async def test_what_waits_when_the_loop_ends_gets_a_failure_too(calls: HeldCalls, outcomes: Outcomes) -> None:
    outcomes.put(Batcher(calls, entries=1), "a")
    await settle()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await settle()
    assert outcomes == [("a", asyncio.CancelledError)]


async def test_an_item_times_out_at_its_deadline_in_line_and_under_way_and_gives_its_place_to_another(
    time: ManualTime, calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=1, timeout_seconds=5, waiting_entries=2, waiting_bytes=2, size=len)
    outcomes.put(batcher, "a")
    await time.pass_(1)
    outcomes.put(batcher, "b")
    with pytest.raises(OverloadedError):
        outcomes.put(batcher, "c")
    await time.pass_(3.999)
    assert outcomes == []
    await time.pass_(0.001)
    assert outcomes == [("a", TimeoutError)]
    assert (batcher.entries_held, batcher.bytes_held) == (1, 1)
    await time.pass_(0.999)
    outcomes.put(batcher, "c")
    await time.pass_(0.001)
    assert outcomes == [("a", TimeoutError), ("b", TimeoutError)]
    assert [call.items for call in calls.under_way] == [["a"]]


async def test_the_call_of_an_item_that_timed_out_goes_on_and_its_outcome_is_dropped(
    time: ManualTime, calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=2, timeout_seconds=5)
    outcomes.put(batcher, "a")
    await time.pass_(5)
    outcomes.put(batcher, "b")
    await calls.end()
    assert outcomes == [("a", TimeoutError)]
    await calls.end()
    assert outcomes == [("a", TimeoutError), ("b", "B")]
    assert calls.carried == [["a"], ["b"]]
    assert batcher.entries_held == 0


async def test_a_submit_times_out_as_a_callback_does(time: ManualTime, calls: HeldCalls) -> None:
    submitted = asyncio.create_task(Batcher(calls, entries=1, timeout_seconds=5).submit("a"))
    await settle()
    await time.pass_(5)
    with pytest.raises(TimeoutError):
        await submitted


async def test_any_number_of_items_has_one_timer_and_one_that_is_never_due_has_none(
    monkeypatch: pytest.MonkeyPatch, time: ManualTime, calls: HeldCalls, outcomes: Outcomes
) -> None:
    loop = asyncio.get_running_loop()
    timers: list[float] = []
    call_at = loop.call_at

    def counted(when: float, *rest: Any) -> asyncio.TimerHandle:
        timers.append(when - time.now)
        return call_at(when, *rest)

    monkeypatch.setattr(loop, "call_at", counted)
    batcher = Batcher(calls, entries=10, timeout_seconds=5)
    for _ in range(100):
        outcomes.put(batcher, "a")
        await time.pass_(0.01)
        await calls.end()
    assert timers == [5]
    await time.pass_(60)
    assert timers == [5]
    outcomes.put(Batcher(calls, entries=10), "a")
    assert timers == [5]


async def test_a_timer_that_found_nothing_overdue_waits_for_the_oldest_that_is_left(
    time: ManualTime, calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=1, calls_at_once=2, timeout_seconds=5)
    outcomes.put(batcher, "answered")
    await time.pass_(1)
    await calls.end()
    outcomes.put(batcher, "under way")
    await time.pass_(1)
    outcomes.put(batcher, "under way later", "in line")
    await time.pass_(3)
    assert outcomes[1:] == []
    await time.pass_(1)
    assert outcomes[1:] == [("under way", TimeoutError)]
    await time.pass_(1)
    assert outcomes[2:] == [("in line", TimeoutError), ("under way later", TimeoutError)]


async def test_items_that_came_within_a_tick_of_the_coarsest_loop_time_out_together(
    time: ManualTime, calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=1, timeout_seconds=5)
    outcomes.put(batcher, "a")
    await time.pass_(0.0004)
    outcomes.put(batcher, "b")
    await time.pass_(4.9996)
    assert outcomes == [("b", TimeoutError), ("a", TimeoutError)]


async def test_an_item_that_ended_is_not_held_in_memory_while_its_timer_runs_or_another_call_hangs(
    time: ManualTime, calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=1, calls_at_once=2, timeout_seconds=5)
    outcomes.put(batcher, "hangs")
    await settle()
    answered, timed_out = Text("answered"), Text("timed out")
    gone = [weakref.ref(answered), weakref.ref(timed_out)]
    batcher.put(answered, lambda _: None)
    await settle()
    calls.carried.clear()
    await calls.end(1)
    outcomes.put(batcher, "hangs too")
    await settle()
    batcher.put(timed_out, lambda _: None)
    await time.pass_(5)
    del answered, timed_out
    gc.collect()
    assert [ref() for ref in gone] == [None, None]
    assert len(calls.under_way) == 2


async def test_a_lone_item_does_not_linger_where_that_is_for_beside_a_call(
    calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=3, calls_at_once=9, linger_seconds=0.005, lingers_alone=False)
    outcomes.put(batcher, "a")
    await settle()
    assert calls.carried == [["a"]]


async def test_beside_a_call_items_linger_until_a_whole_call_waits(calls: HeldCalls, outcomes: Outcomes) -> None:
    batcher = Batcher(calls, entries=3, calls_at_once=9, linger_seconds=0.005, lingers_alone=False)
    outcomes.put(batcher, "a")
    await settle()
    outcomes.put(batcher, "b", "c")
    await settle()
    assert calls.carried == [["a"]]
    outcomes.put(batcher, "d", "e")
    await settle()
    assert calls.carried == [["a"], ["b", "c", "d"]]


async def test_beside_a_call_items_linger_for_as_long_as_they_may_and_no_longer(
    time: ManualTime, calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=3, calls_at_once=9, linger_seconds=0.005, lingers_alone=False)
    outcomes.put(batcher, "a")
    await settle()
    outcomes.put(batcher, "b")
    await time.pass_(0.004)
    outcomes.put(batcher, "c")
    await settle()
    assert calls.carried == [["a"]]
    await time.pass_(0.001)
    assert calls.carried == [["a"], ["b", "c"]]


async def test_what_is_left_over_when_others_have_lingered_lingers_for_its_own_time(
    time: ManualTime, calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=3, calls_at_once=9, linger_seconds=0.005, lingers_alone=False)
    outcomes.put(batcher, "a")
    await settle()
    outcomes.put(batcher, "b")
    asyncio.get_running_loop().call_later(0.006, outcomes.put, batcher, *"cdef")
    await time.pass_(0.006)  # in one turn both
    assert calls.carried == [["a"], ["b", "c", "d"]]
    await time.pass_(0.005)
    assert calls.carried == [["a"], ["b", "c", "d"], ["e", "f"]]


async def test_items_that_linger_beside_a_call_go_when_no_call_is_left(calls: HeldCalls, outcomes: Outcomes) -> None:
    batcher = Batcher(calls, entries=2, calls_at_once=9, linger_seconds=0.005, lingers_alone=False)
    outcomes.put(batcher, "a", "a", "b", "b")
    await settle()
    outcomes.put(batcher, "c")
    await calls.end(1)
    assert calls.carried == [["a", "a"], ["b", "b"]]
    await calls.end()
    assert calls.carried == [["a", "a"], ["b", "b"], ["c"]]


async def test_what_came_while_no_more_calls_were_allowed_lingers_for_no_longer_than_it_may(
    time: ManualTime, calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=2, calls_at_once=2, linger_seconds=0.005, lingers_alone=False)
    outcomes.put(batcher, "a", "a", "b", "b")
    await time.pass_(1)
    outcomes.put(batcher, "c")
    await calls.end()
    assert calls.carried == [["a", "a"], ["b", "b"]]
    await time.pass_(0.005)
    assert calls.carried == [["a", "a"], ["b", "b"], ["c"]]


async def test_what_comes_in_one_turn_shares_calls_and_starts_no_more_of_them_than_it_fills(
    calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=3, calls_at_once=9)
    outcomes.put(batcher, *"abcdefg")
    assert len(asyncio.all_tasks()) == 1 + 3
    await settle()
    assert calls.carried == [["a", "b", "c"], ["d", "e", "f"], ["g"]]


async def test_what_a_call_has_no_bytes_left_for_goes_in_another_beside_it(
    calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=9, payload_bytes=lambda: 3, size=len, calls_at_once=2)
    outcomes.put(batcher, "aa", "bb", "cc")
    await settle()
    assert calls.carried == [["aa"], ["bb"]]


async def test_what_does_not_linger_takes_along_what_came_before_it_and_no_more(
    calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=2, calls_at_once=9, linger_seconds=3600)
    outcomes.put(batcher, "a")
    outcomes.put(batcher, "b", lingers=False)
    await settle()
    outcomes.put(batcher, "c")
    await settle()
    assert calls.carried == [["a", "b"]]


async def test_a_submit_that_does_not_linger_and_is_cancelled_hurries_no_other(calls: HeldCalls) -> None:
    batcher = Batcher(calls, entries=1, linger_seconds=0)
    first = asyncio.create_task(batcher.submit("a"))
    await settle()
    cancelled = asyncio.create_task(batcher.submit("b", lingers=False))
    await settle()
    cancelled.cancel()
    await settle()
    assert batcher._hurried == 0
    await calls.end()
    assert await first == "A"


async def test_an_item_that_does_not_linger_and_timed_out_hurries_no_other(
    time: ManualTime, calls: HeldCalls, outcomes: Outcomes
) -> None:
    batcher = Batcher(calls, entries=2, linger_seconds=3600, timeout_seconds=5)
    outcomes.put(batcher, "a", lingers=False)
    await settle()
    outcomes.put(batcher, "b", lingers=False)
    await time.pass_(5)
    outcomes.put(batcher, "c")
    await calls.end()
    assert calls.carried == [["a"]]
