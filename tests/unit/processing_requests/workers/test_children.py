"""Workers that are kept running, whatever ends them; their processes are fakes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from checkpoint.settings import SettingsError
from processing_requests.workers import children as module
from processing_requests.workers.children import WorkersGivenUpError
from unit.processing_requests.waiting import until
from unit.processing_requests.workers.fake_workers import Workers

Lines = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr(module, "_ASKED_SECONDS", 0.001)


async def test_a_worker_that_ends_is_started_again_and_the_others_go_on(lines: Lines) -> None:
    workers = Workers()
    async with workers.running():
        workers[1].serve()
        workers[2].serve()
        workers[1].exit(-11)
        (await workers.restarted(1)).serve()
        assert len(workers.started[2]) == 1
        assert len(workers.children.serving) == 2
    assert workers.metrics.registry.get_sample_value("checkpoint_worker_restarts_total") == 1
    ended = [line for line in lines if line["event"] == "worker_ended"]
    assert [(line["worker"], line["reason"], line["log_level"]) for line in ended] == [(1, "exit code -11", "error")]


async def test_a_worker_that_ends_again_and_again_is_started_ever_later(lines: Lines) -> None:
    workers = Workers()
    async with workers.running():
        workers[2].serve()
        for times in range(7):
            workers[1].exit(1)
            await workers.restarted(1, times=times + 1)
    delays = [line["restart_in_seconds"] for line in lines if line["event"] == "worker_ended"]
    assert delays == [0.001 * 2**times for times in range(7)]


async def test_no_delay_is_longer_than_the_longest(monkeypatch: pytest.MonkeyPatch, lines: Lines) -> None:
    monkeypatch.setattr(module, "_LONGEST_DELAY_SECONDS", 0.002)
    workers = Workers()
    async with workers.running():
        workers[2].serve()
        for times in range(5):
            workers[1].exit(1)
            await workers.restarted(1, times=times + 1)
    delays = [line["restart_in_seconds"] for line in lines if line["event"] == "worker_ended"]
    assert delays == [0.001, 0.002, 0.002, 0.002, 0.002]


async def test_a_worker_that_has_run_for_long_is_started_again_at_once(
    monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    monkeypatch.setattr(module, "_QUICK_SECONDS", 0)
    workers = Workers()
    async with workers.running():
        for times in range(10):
            workers[1].exit(1)
            await workers.restarted(1, times=times + 1)
    assert {line["restart_in_seconds"] for line in lines if line["event"] == "worker_ended"} == {0.001}


async def test_workers_that_end_at_once_are_given_up_when_none_serves() -> None:
    workers = Workers()

    async def end_all() -> None:
        async with workers.running():
            for times in range(module._MOST_QUICK_ENDS):
                for number in workers.started:
                    workers[number].exit(1)
                    await workers.restarted(number, times=times + 1)

    with pytest.raises(WorkersGivenUpError):
        await end_all()


async def test_settings_that_a_worker_cannot_use_at_its_first_start_end_the_service() -> None:
    workers = Workers()

    async def refuse() -> None:
        async with workers.running():
            workers[2].cannot_start = "QUEUE_URL: is no URL."
            workers[2].exit(1)
            await asyncio.Event().wait()

    with pytest.raises(SettingsError, match=r"QUEUE_URL: is no URL\."):
        await refuse()
    assert workers[1].exit_code == 0


async def test_settings_that_a_worker_cannot_use_any_more_end_only_the_worker(lines: Lines) -> None:
    workers = Workers()
    async with workers.running():
        workers[2].serve()
        workers[1].exit(-9)
        again = await workers.restarted(1)
        again.cannot_start = "QUEUE_URL: AWS_PROFILE names no profile."
        again.exit(1)
        await workers.restarted(1, times=2)
    assert [line["reason"] for line in lines if line["event"] == "worker_ended"] == ["exit code -9", again.cannot_start]


async def test_a_worker_that_the_system_has_no_room_for_is_started_when_there_is(lines: Lines) -> None:
    workers = Workers()
    async with workers.running():
        workers[2].serve()
        workers.lack = "Resource temporarily unavailable"
        workers[1].exit(-9)
        await until(lambda: workers.refused >= 3)
        workers.lack = ""
        await workers.restarted(1)
    reasons = [line["reason"] for line in lines if line["event"] == "worker_ended"]
    assert reasons[1:] == ["cannot be started: Resource temporarily unavailable"] * workers.refused


async def test_all_that_are_stopped_end_and_none_is_started_again(lines: Lines) -> None:
    workers = Workers()
    async with workers.running():
        workers[1].serve()
        assert await workers.children.stop(within=1)
        await asyncio.sleep(0.01)
    assert [len(started) for started in workers.started.values()] == [1, 1]
    assert {line["event"] for line in lines} == {"worker_started"}


async def test_one_that_was_told_to_stop_when_all_were_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    monkeypatch.setattr(module, "_ASKED_SECONDS", 3600)
    workers = Workers()
    async with workers.running():
        workers[1].exit(0)
        await until(lambda: 1 not in workers.children._running)
        assert await workers.children.stop(within=1)
    assert {line["event"] for line in lines} == {"worker_started"}


async def test_one_that_does_not_end_in_time_is_killed_and_told(lines: Lines) -> None:
    workers = Workers()
    async with workers.running():
        workers[2].obeys = False
        assert not await workers.children.stop(within=0.01)
    assert (workers[1].exit_code, workers[2].exit_code) == (0, -9)
    assert [(line["event"], line["worker"]) for line in lines if line["log_level"] == "error"] == [("worker_killed", 2)]


async def test_one_that_fails_while_all_stop_is_told(lines: Lines) -> None:
    workers = Workers()
    async with workers.running():
        workers[2].terminate = lambda: workers[2].exit(1)  # type: ignore[method-assign]  # how a failure looks
        assert not await workers.children.stop(within=1)
    assert [(line["event"], line["worker"]) for line in lines if line["log_level"] == "error"] == [("worker_ended", 2)]


async def test_new_tokens_reach_those_that_run_and_those_that_are_started_later() -> None:
    workers = Workers()
    async with workers.running():
        assert (workers[1].tokens, workers[2].tokens) == ("old", "old")
        workers.children.share_tokens("new")
        assert (workers[1].tokens, workers[2].tokens) == ("new", "new")
        workers[1].exit(1)
        assert (await workers.restarted(1)).tokens == "new"
