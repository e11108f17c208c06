"""Receipts against an archive and a queue: what is told is so, and a good object is never called changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from checkpoint.archive.archive import Archive
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.email import Email
from checkpoint.message_queue.admin import DeadLetter, QueuedMessage
from checkpoint.message_queue.port import Depth, QueueUnavailableError
from command_line.receipts.receipt import Receipt
from command_line.receipts.table import ReceiptTable, State, open_table
from command_line.reconciling import reconciling as reconciling_module
from command_line.reconciling.command import reconcile_all
from command_line.reconciling.queued import ask_queue
from command_line.reconciling.report import Report
from command_line.running import ExitCode
from emails import email
from objects import ListedObjects, MemoryObjects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from checkpoint.message_queue.port import EntryFault

PLAIN, LONGER, LONGEST = email().names


class Queue:
    """Keeps the AdminQueue protocol, as far as a reconciliation asks."""

    def __init__(self, *, is_searchable: bool = True) -> None:
        self.is_searchable = is_searchable
        self.bodies: list[bytes] = []
        self.dead: list[DeadLetter] = []
        self.released: list[str] = []
        self.unavailable = ""
        self.asked: Callable[[], object] = lambda: None

    async def depth(self) -> Depth:
        self.asked()
        if self.unavailable:
            raise QueueUnavailableError(self.unavailable)
        return Depth(len(self.bodies), 0, None, len(self.dead))

    async def find(self, matches: Callable[[bytes], bool]) -> AsyncIterator[QueuedMessage]:
        assert self.is_searchable
        for body in self.bodies:
            if await asyncio.to_thread(matches, body):
                yield QueuedMessage(body, 0, None, 0)

    async def dead_letters(self) -> AsyncIterator[DeadLetter]:
        for letter in self.dead:
            yield letter

    async def redrive(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
        raise NotImplementedError

    async def drop(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
        raise NotImplementedError

    async def release(self, dead_letters: Sequence[DeadLetter]) -> None:
        self.released += [each.id for each in dead_letters]


@pytest.fixture
def store() -> ListedObjects:
    return ListedObjects()


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def table() -> Iterator[ReceiptTable]:
    with open_table() as opened:
        yield opened


def put(store: ListedObjects, *emails: Email) -> None:
    """As the broker does."""

    async def put_all() -> None:
        objects = MemoryObjects()
        objects.objects = store.bodies
        for each in emails:
            await Archive(objects).put(each)

    asyncio.run(put_all())


class Told:
    """What a reconciliation printed as JSON."""

    def __init__(self, code: ExitCode, lines: list[dict[str, Any]]) -> None:
        self.code = code
        self.summary = lines[-1]
        self.findings = {(each["finding"], each.get("name") or each["identity"]): each for each in lines[:-1]}

    def __contains__(self, finding: tuple[str, Email | str]) -> bool:
        word, what = finding
        return (word, what.identity if isinstance(what, Email) else what) in self.findings


@pytest.fixture
def reconcile(
    table: ReceiptTable, store: ListedObjects, queue: Queue, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Told]:
    def run(*emails: Email, wait: float = 0) -> Told:
        table.add(Receipt.of(each, 1_800_000_000) for each in emails)
        report = Report(as_json=True, prints_extra=True)
        ask = partial(ask_queue, queue, table)
        code = asyncio.run(reconcile_all(table, store, ask, report, wait_seconds=wait))
        return Told(code, [json.loads(line) for line in capsys.readouterr().out.splitlines()])

    return run


EMAILS = [email(f"{number} é", timestream=str(1706213694 + number // 3)) for number in range(12)]


def test_an_archive_with_every_email_is_clean_and_no_body_is_read(
    reconcile: Callable[..., Told], store: ListedObjects
) -> None:
    put(store, *EMAILS)
    told = reconcile(*EMAILS, *EMAILS)
    assert told.code == ExitCode.AS_ASKED
    assert told.findings == {}
    assert (told.summary["receipts"], told.summary["archived"], told.summary["objects"]) == (12, 12, 12)
    assert (store.reads, store.listings) == ([], 1)


def test_where_a_listing_tells_no_md5_every_body_is_read_once(
    reconcile: Callable[..., Told], store: ListedObjects
) -> None:
    store.tells_md5 = False
    put(store, *EMAILS)
    assert reconcile(*EMAILS).code == ExitCode.AS_ASKED
    assert sorted(store.reads) == sorted(store.bodies)


def test_an_etag_that_is_no_md5_is_no_sign_of_a_change(reconcile: Callable[..., Told], store: ListedObjects) -> None:
    put(store, *EMAILS)
    store.other_md5 = {name: hashlib.md5(b"encrypted" + name.encode()).hexdigest() for name in store.bodies}  # noqa: S324
    told = reconcile(*EMAILS)
    assert (told.code, told.findings) == (ExitCode.AS_ASKED, {})
    assert sorted(store.reads) == sorted(store.bodies)


@pytest.mark.parametrize("tells_md5", [True, False])
def test_a_missing_object_is_named_with_all_its_names(
    reconcile: Callable[..., Told], store: ListedObjects, *, tells_md5: bool
) -> None:
    store.tells_md5 = tells_md5
    put(store, *EMAILS)
    first, second = EMAILS[3], EMAILS[4]
    del store.bodies[next(first.names)]
    del store.bodies[list(second.names)[1]]
    told = reconcile(*EMAILS)
    assert told.code == ExitCode.NOT_AS_ASKED
    assert len(told.findings) == 2
    assert told.findings["missing", first.identity]["names"] == list(first.names)
    assert ("missing", second) in told
    assert told.summary["missing"] == 2


def test_an_object_of_another_email_without_a_receipt_is_extra_and_hides_nothing(
    reconcile: Callable[..., Told], store: ListedObjects
) -> None:
    other, mine = email("1"), email("2")
    put(store, other)
    told = reconcile(mine)
    assert set(told.findings) == {("extra", PLAIN), ("missing", mine.identity)}
    put(store, mine)
    table_again = reconcile(mine)
    assert table_again.summary["archived"] == 1


@pytest.mark.parametrize("tells_md5", [True, False])
@pytest.mark.parametrize(
    "bytes_", [b"", b"torn", email("0 e").body.replace(b"Your Subject", b"Mine Subject")[:-1] + b"]"]
)
def test_other_bytes_under_a_name_are_a_change(
    reconcile: Callable[..., Told], store: ListedObjects, bytes_: bytes, *, tells_md5: bool
) -> None:
    store.tells_md5 = tells_md5
    first, second = email("1 e"), email("0 e")
    put(store, first, second)
    longer = list(second.names)[1]
    store.bodies[PLAIN] = store.bodies[longer] = bytes_
    told = reconcile(first, second)
    assert told.code == ExitCode.NOT_AS_ASKED
    assert told.findings["changed", first.identity]["detail"] == PLAIN
    assert told.findings["changed", second.identity]["detail"] in {PLAIN, longer}


def test_an_email_of_the_same_length_in_place_of_another_is_seen(
    reconcile: Callable[..., Told], store: ListedObjects
) -> None:
    put(store, email("first"), email("mine1"))
    longer = list(email("mine1").names)[1]
    store.bodies[longer] = email("other").body
    told = reconcile(email("first"), email("mine1"))
    assert told.findings["changed", email("mine1").identity]["detail"] == longer


def test_an_email_under_its_longest_name_is_archived_though_others_hold_the_shorter_ones(
    reconcile: Callable[..., Told], store: ListedObjects
) -> None:
    store.bodies |= {PLAIN: b"foreign", LONGER: b"foreign too"}
    put(store, email())
    assert LONGEST in store.bodies
    told = reconcile(email())
    assert told.code == ExitCode.AS_ASKED
    assert {name for word, name in told.findings if word == "extra"} == {PLAIN}


def test_a_second_object_of_an_email_is_extra(reconcile: Callable[..., Told], store: ListedObjects) -> None:
    store.bodies |= {PLAIN: email().body, LONGER: email().body}
    told = reconcile(email())
    assert (told.code, set(told.findings)) == (ExitCode.AS_ASKED, {("extra", LONGER)})


@pytest.mark.parametrize(("archived", "other"), [("1", "2"), ("2", "1")])
def test_two_emails_of_one_md5_are_told_apart_by_their_bytes(
    reconcile: Callable[..., Told], store: ListedObjects, table: ReceiptTable, archived: str, other: str
) -> None:
    real, forged = email(archived), email(other)
    put(store, real)
    md5 = Receipt.of(real, 0).md5
    table.add([Receipt(forged.identity, forged.timestream, md5, len(forged.body), Receipt.of(real, 0).time)])
    told = reconcile(real)
    assert set(told.findings) == {("missing", forged.identity)}


def test_an_object_that_cannot_be_read_is_told_with_the_reason(
    reconcile: Callable[..., Told], store: ListedObjects
) -> None:
    put(store, email("1"), email("2"))
    store.tells_md5 = False
    store.unreadable[PLAIN] = "is in an archived storage class: restore it."
    told = reconcile(email("1"), email("2"))
    assert told.code == ExitCode.NOT_AS_ASKED
    assert set(told.findings) == {("unreadable", email("1").identity)}
    assert "restore it" in told.findings["unreadable", email("1").identity]["detail"]


def test_what_is_on_the_queue_is_under_way_and_what_was_dead_lettered_is_named_so(
    reconcile: Callable[..., Told], store: ListedObjects, queue: Queue
) -> None:
    put(store, EMAILS[0])
    queue.bodies = [EMAILS[0].body, EMAILS[1].body, b"no e-mail", EMAILS[9].body]
    queue.dead = [
        DeadLetter("1", EMAILS[2].body, "no \x1b[2J", 20, None, None),
        DeadLetter("2", b"no e-mail", "", 1, None, None),
    ]
    told = reconcile(*EMAILS[:4])
    assert told.code == ExitCode.NOT_AS_ASKED
    assert set(told.findings) == {
        ("under_way", EMAILS[1].identity),
        ("dead_lettered", EMAILS[2].identity),
        ("missing", EMAILS[3].identity),
    }
    assert told.findings["dead_lettered", EMAILS[2].identity]["detail"] == "no \\x1b[2J"
    assert queue.released == ["1", "2"]


def test_a_queue_that_cannot_be_searched_says_how_many_may_be_on_their_way(
    reconcile: Callable[..., Told],
    queue: Queue,
    table: ReceiptTable,
    store: ListedObjects,
    capsys: pytest.CaptureFixture[str],
) -> None:
    queue.is_searchable = False
    queue.bodies = [email().body] * 3
    told = reconcile(email())
    assert ("missing", email()) in told
    assert told.summary["on_queue"] == 3
    report = Report(as_json=False, prints_extra=False)
    asyncio.run(reconcile_all(table, store, partial(ask_queue, queue, table), report))
    assert "About 3 on the queue, so some of the missing may be on their way" in capsys.readouterr().err


def test_a_queue_that_is_out_of_reach_is_told_and_the_missing_are_missing(
    reconcile: Callable[..., Told], queue: Queue
) -> None:
    queue.unavailable = "out of reach"
    told = reconcile(email())
    assert ("missing", email()) in told
    assert told.summary["queue_fault"] == "out of reach"


def test_a_clean_archive_asks_no_queue(reconcile: Callable[..., Told], store: ListedObjects, queue: Queue) -> None:
    queue.asked = lambda: pytest.fail("it was asked")
    put(store, email())
    assert reconcile(email()).code == ExitCode.AS_ASKED


@pytest.mark.parametrize("few", [1000, 0])
def test_an_email_that_arrives_while_it_is_looked_for_is_not_missing(
    reconcile: Callable[..., Told], store: ListedObjects, queue: Queue, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(reconciling_module, "_FEW", few)
    queue.asked = lambda: store.bodies.update({next(each.names): each.body for each in EMAILS[::3]})
    told = reconcile(*EMAILS[::3])
    assert (told.code, told.findings) == (ExitCode.AS_ASKED, {})


@pytest.mark.parametrize("few", [1000, 0])
@pytest.mark.parametrize("is_searchable", [True, False])
def test_it_waits_until_what_is_under_way_has_arrived(
    reconcile: Callable[..., Told],
    store: ListedObjects,
    queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    *,
    is_searchable: bool,
) -> None:
    monkeypatch.setattr(reconciling_module, "_FEW", few)
    monkeypatch.setattr(reconciling_module, "_ROUND_SECONDS", 0.001)
    queue.is_searchable = is_searchable
    queue.bodies = [each.body for each in EMAILS[::3]]
    rounds = []

    def archive_one() -> None:
        rounds.append(1)
        if len(rounds) % 2 == 0 and queue.bodies:
            moved = Email.read(queue.bodies.pop())
            store.bodies[next(moved.names)] = moved.body

    queue.asked = archive_one
    told = reconcile(*EMAILS[::3], wait=30)
    assert (told.code, told.findings) == (ExitCode.AS_ASKED, {})
    assert len(rounds) >= 8


def test_it_waits_no_longer_than_asked_for(
    reconcile: Callable[..., Told], queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling_module, "_ROUND_SECONDS", 0.001)
    queue.bodies = [email().body]
    told = reconcile(email(), wait=0.05)
    assert (told.code, set(told.findings)) == (ExitCode.NOT_AS_ASKED, {("under_way", email().identity)})


def test_an_archive_out_of_reach_is_no_finding(
    reconcile: Callable[..., Told], store: ListedObjects, table: ReceiptTable
) -> None:
    store.unavailable = "out of reach"
    with pytest.raises(ArchiveUnavailableError):
        reconcile(email())
    assert table.counts()[State.MISSING] == 0


def test_a_name_of_an_object_moves_no_cursor_and_breaks_no_line(
    table: ReceiptTable, store: ListedObjects, queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    store.bodies = {"sqs_message_\x1b[2J[red]\udcff": b"x"}
    for as_json in (True, False):
        report = Report(as_json=as_json, prints_extra=True)
        asyncio.run(reconcile_all(table, store, partial(ask_queue, queue, table), report))
        printed = capsys.readouterr().out
        assert "\x1b" not in printed
        assert "[2J[red]" in printed
        printed.encode()
