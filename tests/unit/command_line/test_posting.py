"""Posting: each e-mail until it is confirmed, refused for good or given up, whatever the intake answers."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from command_line.posting import posting as posting_module
from command_line.posting.intake import open_intake
from command_line.posting.items import Item
from command_line.posting.pace import Pace, delay
from command_line.posting.posting import Failure, Posting, Tally
from command_line.receipts.file import ReceiptFile, read_receipts
from command_line.running import CommandError, ExitCode
from emails import body
from unit.command_line.failing_intake import DROP, TORN, FailingIntake, answer, problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path


class NoDelay:
    """Chance that is always at its least, and a delay of nothing."""

    def uniform(self, _a: float, _b: float, /) -> float:
        return 0.0


class Run:
    """What came of a run."""

    def __init__(self, tally: Tally, failures: list[Failure]) -> None:
        self.tally = tally
        self.failures = failures


@pytest.fixture
async def intake() -> AsyncIterator[FailingIntake]:
    async with FailingIntake() as running:
        yield running


def items(*texts: bytes) -> list[Item]:
    return [Item(f"file:{number}", text) for number, text in enumerate(texts, 1)]


async def batches(*given: Sequence[Item]) -> AsyncIterator[Sequence[Item]]:
    for each in given:
        yield each


async def post(url: str, given: Sequence[Item], tally: Tally | None = None, **options: Any) -> Run:
    """Post with few requests at once and no delays."""
    run = Run(tally or Tally(), [])
    concurrency = options.pop("concurrency", 4)
    async with open_intake(url, "foobar, another", connections=concurrency) as opened:
        wired = {
            "receipts": None,
            "is_known": None,
            "failed": run.failures.append,
            "tally": run.tally,
            "pace": Pace(None, time),
            "clock": time,
            "random": NoDelay(),
            "give_up_after": 5.0,
        } | options
        await Posting(intake=opened, concurrency=concurrency, **wired).run(batches(given))
    return run


async def test_each_email_is_posted_once_with_the_first_token_and_its_receipt_is_written(
    intake: FailingIntake, tmp_path: Path
) -> None:
    texts = [body(f"{number} é", timestream=str(number)) for number in range(50)]
    with ReceiptFile(tmp_path / "receipts") as receipts:
        run = await post(intake.url, items(*texts), receipts=receipts)
    assert run.tally == Tally(confirmed=50)
    assert sorted(intake.bodies) == sorted(b'{"data":' + text + b"}" for text in texts)
    assert {each["Authorization"] for each in intake.headers} == {"Bearer foobar"}
    assert {each["Accept"] for each in intake.headers} == {"application/problem+json"}
    written = list(read_receipts(tmp_path / "receipts"))
    assert sorted(each.identity for each in written) == sorted(intake.kept)
    assert {each.timestream for each in written} == {str(number) for number in range(50)}


async def test_so_many_requests_as_asked_for_are_under_way_and_no_more(intake: FailingIntake) -> None:
    await post(intake.url, items(*(body(str(number)) for number in range(100))), concurrency=7)
    assert 1 < intake.most_at_once <= 7


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again(intake: FailingIntake, status: int) -> None:
    intake.script = {b"Content": [problem(status, "Not now"), problem(status, "Not now")]}
    run = await post(intake.url, items(body()))
    assert run.tally == Tally(confirmed=1, retries=2)


@pytest.mark.parametrize("broken", [DROP, TORN])
async def test_a_connection_that_breaks_is_no_answer_and_the_email_is_posted_again(
    intake: FailingIntake, broken: str
) -> None:
    intake.script = {b"Content": [broken, broken]}
    run = await post(intake.url, items(body()))
    assert run.tally.confirmed == 1
    assert run.failures == []
    assert len(intake.bodies) >= 3  # aiohttp itself sends again what an idle connection has lost


async def test_retry_after_is_waited_for(intake: FailingIntake) -> None:
    intake.script = {b"Content": [problem(503, "Overloaded", **{"Retry-After": "1"})]}
    began = time.monotonic()
    run = await post(intake.url, items(body()))
    assert run.tally == Tally(confirmed=1, retries=1)
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize("status", [400, 403, 413, 415])
async def test_a_refusal_is_final_for_its_email_alone_and_told_with_the_intakes_reason(
    intake: FailingIntake, status: int
) -> None:
    intake.script = {b"bad": [problem(status, "Invalid fields", "email_sender is missing.", "\x1b[2Jmore")]}
    run = await post(intake.url, items(body("good"), body("bad"), body("good too")))
    assert run.tally == Tally(confirmed=2, refused=1)
    reason = f"{status} Invalid fields: email_sender is missing. \\x1b[2Jmore"
    assert run.failures == [Failure("file:2", True, reason)]  # noqa: FBT003  a tuple's field


@pytest.mark.parametrize("content", ["", "no JSON", "[1]", '{"title": 7}', '{"detail": null}', "{" * 5000])
async def test_a_refusal_by_something_else_is_told_by_its_status(intake: FailingIntake, content: str) -> None:
    intake.script = {b"Content": [answer(413, content)]}
    run = await post(intake.url, items(body()))
    assert [each.reason for each in run.failures] == ["413 Request Entity Too Large"]


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, ExitCode.MISUSED, "TOKEN: the intake does not take it"),
        (404, ExitCode.MISUSED, "this is no intake: it answers 404 Not Found"),
        (405, ExitCode.MISUSED, "this is no intake"),
        (204, ExitCode.MISUSED, "this is no intake"),
        (307, ExitCode.MISUSED, "this is no intake: it answers 307"),
    ],
)
async def test_what_no_email_would_pass_ends_the_run_at_once(
    intake: FailingIntake, status: int, code: ExitCode, reason: str
) -> None:
    intake.script = {b"first": [answer(status, Location=f"{intake.url}/elsewhere")]}
    with pytest.raises(CommandError, match=reason) as caught:
        await post(intake.url, items(body("first"), *(body(str(number)) for number in range(1000))), concurrency=2)
    assert caught.value.code == code
    assert "foobar" not in str(caught.value)
    assert len(intake.bodies) < 20


@pytest.mark.parametrize("headers", [{}, {"X-Message-Id": "0" * 64}])
async def test_a_200_that_does_not_name_this_email_confirms_nothing(
    intake: FailingIntake, headers: dict[str, str], tmp_path: Path
) -> None:
    intake.script = {b"Content": [answer(200, "welcome to this hotel", **headers)]}
    with ReceiptFile(tmp_path / "receipts") as receipts:
        run = await post(intake.url, items(body()), receipts=receipts)
    assert run.tally == Tally(refused=1)
    assert (tmp_path / "receipts").read_bytes() == b""


async def test_an_email_that_alone_fails_for_long_is_given_up_and_the_others_go_on(intake: FailingIntake) -> None:
    intake.script = {b"poison": [problem(500, "Internal error")] * 100_000}
    given = items(body("poison"), *(body(str(number)) for number in range(300)))
    run = await post(intake.url, given, give_up_after=0.2)
    assert run.tally.confirmed == 300
    assert (run.tally.not_confirmed, run.tally.refused) == (1, 0)
    assert run.failures == [Failure("file:1", False, "500 Internal error: what to do")]  # noqa: FBT003  as above


async def test_an_intake_that_confirms_nothing_for_as_long_ends_the_run() -> None:
    tally = Tally()
    with pytest.raises(CommandError, match=r"confirmed nothing for 0\.2 s: ClientConnectorError: ") as caught:
        await post(
            "http://127.0.0.1:9", items(*(body(str(number)) for number in range(1000))), tally, give_up_after=0.2
        )
    assert caught.value.code == ExitCode.UNAVAILABLE
    assert tally.confirmed == 0
    assert tally.not_confirmed < 10


async def test_what_was_confirmed_before_is_skipped(intake: FailingIntake) -> None:
    run = await post(intake.url, items(body("old"), body("new")), is_known=lambda email: b"old" in email.body)
    assert run.tally == Tally(confirmed=1, skipped=1)
    assert len(intake.bodies) == 1


async def test_what_cannot_be_posted_is_refused_without_a_request(intake: FailingIntake) -> None:
    run = await post(intake.url, [Item("file:1", b"", "The line is not a JSON object.")])
    assert run.tally == Tally(refused=1)
    assert intake.bodies == []


async def test_a_rate_spreads_requests_evenly(intake: FailingIntake) -> None:
    began = time.monotonic()
    await post(intake.url, items(*(body(str(number)) for number in range(21))), pace=Pace(100, time))
    assert time.monotonic() - began >= 0.2


async def test_receipts_are_synced_while_it_runs(
    intake: FailingIntake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting_module, "_SYNC_SECONDS", 0.001)
    synced = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Spy(ReceiptFile):
        def sync(self) -> None:
            super().sync()
            loop.call_soon_threadsafe(synced.set)

    with Spy(tmp_path / "receipts") as receipts:
        intake.script = {b"Content": [problem(503, "Overloaded", **{"Retry-After": "1"})]}
        posted = asyncio.ensure_future(post(intake.url, items(body()), receipts=receipts))
        await asyncio.wait_for(synced.wait(), 5)
        assert not posted.done()
        await posted


async def test_a_receipt_that_cannot_be_written_ends_the_run(intake: FailingIntake, tmp_path: Path) -> None:
    class Full(ReceiptFile):
        def add(self, _receipt: object) -> None:
            raise CommandError("receipts: No space left on device", ExitCode.UNAVAILABLE)

    with pytest.raises(CommandError, match="No space left"), Full(tmp_path / "receipts") as receipts:
        await post(intake.url, items(body()), receipts=receipts)


@pytest.mark.parametrize(
    "url", ["ftp://host", "host:5001", "http://", "http://user:secret@host", "http://host/?token=secret"]
)
async def test_a_url_of_no_intake_is_misuse_and_not_repeated(url: str) -> None:
    with pytest.raises(CommandError) as caught:
        await post(url, [])
    assert caught.value.code == ExitCode.MISUSED
    assert "secret" not in str(caught.value)


def test_delays_double_up_to_a_bound_and_heed_what_is_asked_for() -> None:
    class Most:
        def uniform(self, _a: float, b: float, /) -> float:
            return b

    assert [delay(failures, 0, Most()) for failures in (1, 2, 3, 8, 10_000)] == [0.1, 0.2, 0.4, 10.0, 10.0]
    assert delay(1, 5, NoDelay()) == 5
    assert delay(1, 1e9, NoDelay()) == 3600


async def test_an_email_of_some_megabytes_is_posted_whole(intake: FailingIntake) -> None:
    run = await post(intake.url, items(body("x" * 3_000_000)))
    assert run.tally == Tally(confirmed=1)
    assert json.loads(intake.bodies[0])["data"]["email_content"] == "x" * 3_000_000
