"""Whatever comes in whatever order: each item has one outcome, its own, in time, within the bounds and in order.

Time passes in seconds, and the loop has settled before the next one: so what is due at a second has happened in it.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from checkpoint.batching.batcher import Batcher
from checkpoint.batching.entry import Failure, OverloadedError
from unit.checkpoint.manual_time import HeldCalls, ManualTime, settle

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    _T = TypeVar("_T")

places = st.integers(0, 9)
sizes = st.integers(1, 3)


@dataclass(eq=False)
class Put:
    """An item, and what came of it. at, ended_at: by the loop's clock."""

    item: str
    at: float
    lingers: bool
    outcomes: list[object] = field(default_factory=list)
    ended_at: float | None = None
    submitted: asyncio.Task[str] | None = None

    @property
    def waits(self) -> bool:
        return self.ended_at is None


def weight(item: str) -> int:
    """An item is its number and as many x as it is heavy."""
    return item.count("x")


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.time = ManualTime(self.runner.get_loop())
        self.calls = HeldCalls()
        self.batcher: Batcher[str, str] = Batcher(self.calls, entries=1)  # until `make`, which a test may not come to
        self.puts: dict[str, Put] = {}
        self.reported = 0
        self.raised = 0
        self.runner.get_loop().set_exception_handler(self._count_reported)

    @initialize(
        entries=st.integers(1, 3),
        calls_at_once=st.integers(1, 3),
        payload_bytes=st.sampled_from([None, 4]),
        linger_seconds=st.sampled_from([0, 2, 9]),
        lingers_alone=st.booleans(),
        timeout_seconds=st.sampled_from([None, 1, 5]),
        waiting_entries=st.sampled_from([None, 5]),
        waiting_bytes=st.sampled_from([None, 8]),
    )
    def make(self, *, payload_bytes: int | None, **limits: Any) -> None:
        self.limits = {name: math.inf if limit is None else limit for name, limit in limits.items()}
        self.payload_bytes = payload_bytes
        self.batcher = Batcher(
            self.calls, payload_bytes=(lambda: payload_bytes) if payload_bytes else None, size=weight, **limits
        )

    def run(self, call: Coroutine[Any, Any, _T]) -> _T:
        return self.runner.run(call)

    def teardown(self) -> None:
        with self.runner:
            self.run(self.end_all())
        for put in self.puts.values():
            assert len(put.outcomes) == 1
        assert self.batcher.entries_held == self.batcher.bytes_held == 0
        assert self.reported == self.raised

    async def end_all(self) -> None:
        drained = asyncio.create_task(self.batcher.drain())
        await settle()
        while self.calls.under_way:
            await self.calls.end()
        assert drained.done()

    @rule(size=sizes, lingers=st.booleans(), raises=st.booleans(), follower=st.booleans())
    def put(self, size: int, *, lingers: bool, raises: bool, follower: bool) -> None:
        async def put() -> None:
            self._put(size, lingers=lingers, raises=raises, follower=follower)
            await settle()

        self.run(put())

    @rule(sizes=st.lists(sizes, min_size=2, max_size=7))
    def put_in_one_turn(self, sizes: list[int]) -> None:
        async def put() -> None:
            for size in sizes:
                self._put(size)
            await settle()

        self.run(put())

    @rule(size=sizes, lingers=st.booleans())
    def submit(self, size: int, *, lingers: bool) -> None:
        async def submit() -> None:
            room = self._has_room(size)
            put = self._new(size, lingers=lingers)
            put.submitted = asyncio.create_task(self._submit(put, lingers=lingers))
            await settle()
            assert room or put.outcomes == [OverloadedError]
            if not room:
                del self.puts[put.item]

        self.run(submit())

    @rule(place=places)
    def cancel(self, place: int) -> None:
        async def cancel() -> None:
            waiting = [put.submitted for put in self.puts.values() if put.waits and put.submitted]
            if waiting:
                waiting[place % len(waiting)].cancel()
                await settle()

        self.run(cancel())

    @precondition(lambda self: self.calls.under_way)
    @rule(place=places)
    def a_call_ends(self, place: int) -> None:
        self.run(self.calls.end(place % len(self.calls.under_way)))

    @precondition(lambda self: self.calls.under_way)
    @rule(place=places)
    def a_call_fails(self, place: int) -> None:
        self.run(self.calls.fail(ConnectionError(), place % len(self.calls.under_way)))

    @rule(seconds=st.sampled_from([1, 1, 1, 5]))
    def time_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.run(self.time.pass_(1))
            self.what_ended_in_time_did_so_by_its_deadline()

    @invariant()
    def no_item_has_two_outcomes_or_that_of_another(self) -> None:
        for put in self.puts.values():
            assert put.outcomes in (
                [],
                [put.item.upper()],
                [ConnectionError],
                [TimeoutError],
                [asyncio.CancelledError],
            )

    @invariant()
    def what_ended_in_time_did_so_by_its_deadline(self) -> None:
        for put in self.puts.values():
            deadline = put.at + self.limits["timeout_seconds"]
            if put.outcomes == [TimeoutError]:
                assert put.ended_at == deadline
            else:
                assert (put.ended_at or self.time.now) < deadline

    @invariant()
    def calls_carry_items_in_order_each_once_and_within_the_bounds(self) -> None:
        carried = [int(item.rstrip("x")) for items in self.calls.carried for item in items]
        assert carried == sorted(set(carried))
        assert len(self.calls.under_way) <= self.limits["calls_at_once"]
        for items in self.calls.carried:
            assert 1 <= len(items) <= self.limits["entries"]
            assert len(items) == 1 or self.payload_bytes is None or sum(map(weight, items)) <= self.payload_bytes

    @invariant()
    def what_is_held_is_what_waits(self) -> None:
        waiting = [put.item for put in self.puts.values() if put.waits]
        assert self.batcher.entries_held == len(waiting) <= self.limits["waiting_entries"]
        assert self.batcher.bytes_held == sum(map(weight, waiting))
        assert self.batcher.bytes_held <= self.limits["waiting_bytes"] or len(waiting) == 1

    @invariant()
    def nothing_waits_in_line_that_could_go(self) -> None:
        gone = {item for items in self.calls.carried for item in items}
        line = [put for put in self.puts.values() if put.waits and put.item not in gone]
        if not line or len(self.calls.under_way) == self.limits["calls_at_once"]:
            return
        assert len(line) < self.limits["entries"]
        assert all(put.lingers for put in line)
        assert self.limits["lingers_alone"] or self.calls.under_way
        assert self.time.now < line[0].at + self.limits["linger_seconds"]

    def _has_room(self, size: int) -> bool:
        waiting = [put.item for put in self.puts.values() if put.waits]
        held = sum(map(weight, waiting))
        return len(waiting) < self.limits["waiting_entries"] and (
            not held or held + size <= self.limits["waiting_bytes"]
        )

    def _new(self, size: int, *, lingers: bool) -> Put:
        item = f"{len(self.puts)}{'x' * size}"
        put = self.puts[item] = Put(item, self.time.now, lingers)
        return put

    def _put(self, size: int, *, lingers: bool = True, raises: bool = False, follower: bool = False) -> None:
        room = self._has_room(size)
        put = self._new(size, lingers=lingers)
        try:
            self.batcher.put(put.item, partial(self._end, put, raises=raises, follower=follower), lingers=lingers)
        except OverloadedError:
            assert not room
            del self.puts[put.item]
        else:
            assert room
            assert put.waits

    async def _submit(self, put: Put, *, lingers: bool) -> str:
        try:
            outcome = await self.batcher.submit(put.item, lingers=lingers)
        except BaseException as error:
            self._ended(put, type(error))
            if isinstance(error, asyncio.CancelledError):
                raise
            return ""
        self._ended(put, outcome)
        return outcome

    def _end(self, put: Put, outcome: str | Failure, *, raises: bool, follower: bool) -> None:
        self._ended(put, type(outcome.error) if isinstance(outcome, Failure) else outcome)
        if follower:
            self._put(1)
        if raises:
            self.raised += 1
            raise ZeroDivisionError

    def _ended(self, put: Put, outcome: object) -> None:
        put.outcomes.append(outcome)
        put.ended_at = self.time.now

    def _count_reported(self, _: object, context: dict[str, Any]) -> None:
        assert isinstance(context["exception"], ZeroDivisionError)
        self.reported += 1


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
