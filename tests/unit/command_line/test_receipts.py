"""Receipts: on disk as soon as they are given, and read whatever their writer died of."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from command_line.receipts.file import ReceiptFile, read_receipts
from command_line.receipts.receipt import Receipt, decode, encode
from command_line.receipts.table import Mark, State, open_table
from command_line.running import CommandError, ExitCode
from emails import email

if TYPE_CHECKING:
    from pathlib import Path


def receipt(content: str = "Your Content", *, timestream: str = "1706213694") -> Receipt:
    return Receipt.of(email(content, timestream=timestream), 1_800_000_000.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "receipts.jsonl"


def write(path: Path, *receipts: Receipt) -> None:
    with ReceiptFile(path) as file:
        for each in receipts:
            file.add(each)


def test_a_receipt_is_one_line_of_json_with_what_its_email_is_found_by() -> None:
    assert encode(receipt()) == (
        b'{"identity":"%s","timestream":"1706213694","md5":"%s","size":131,"time":"2027-01-15T08:00:00.500000Z"}\n'
        % (receipt().identity.encode(), receipt().md5.encode())
    )
    assert decode(encode(receipt())) == receipt()
    assert receipt().identity == email().identity


def test_receipts_are_appended_and_read_in_their_order(path: Path) -> None:
    write(path, receipt("a"))
    write(path, receipt("b"), receipt("c"))
    assert list(read_receipts(path)) == [receipt("a"), receipt("b"), receipt("c")]


def test_a_receipt_outlives_a_kill_of_its_writer(path: Path) -> None:
    program = (
        "import os, pathlib, sys, signal\n"
        "from command_line.receipts.file import ReceiptFile\n"
        "from command_line.receipts.receipt import decode\n"
        "file = ReceiptFile(pathlib.Path(sys.argv[1]))\n"
        "file.add(decode(sys.stdin.buffer.read()))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, path], input=encode(receipt()), check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list(read_receipts(path)) == [receipt()]


@pytest.mark.parametrize("cut", [1, 50, len(encode(receipt())) - 2])
def test_a_line_that_was_cut_off_is_passed_over_and_not_appended_to(path: Path, cut: int) -> None:
    path.write_bytes(encode(receipt("a")) + encode(receipt("b"))[:cut])
    assert list(read_receipts(path)) == [receipt("a")]
    write(path, receipt("c"))
    assert path.read_bytes() == encode(receipt("a")) + encode(receipt("c"))


def test_a_last_line_without_its_end_counts_where_it_is_whole(path: Path) -> None:
    path.write_bytes(encode(receipt("a")) + encode(receipt("b")).rstrip())
    assert list(read_receipts(path)) == [receipt("a"), receipt("b")]
    write(path, receipt("c"))
    assert list(read_receipts(path)) == [receipt("a"), receipt("b"), receipt("c")]


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        b"x" * 10_000,
        encode(receipt()).replace(b"131", b"0"),
        encode(receipt()).replace(b"17062", b"1706a"),
    ],
)
def test_a_line_that_is_no_receipt_is_named_and_not_repeated(path: Path, line: bytes) -> None:
    path.write_bytes(encode(receipt()) + line.rstrip() + b"\n" + encode(receipt()))
    with pytest.raises(CommandError, match=r"receipts.jsonl:2 is not a receipt\.$") as caught:
        list(read_receipts(path))
    assert caught.value.code == ExitCode.MISUSED


def test_a_file_that_is_being_written_is_refused_to_a_second_writer(path: Path) -> None:
    with ReceiptFile(path), pytest.raises(CommandError, match="is being written by another program"):
        ReceiptFile(path)
    write(path, receipt())


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    for use in (ReceiptFile, lambda path: list(read_receipts(path))):
        with pytest.raises(CommandError, match="missing/receipts: No such file or directory"):
            use(tmp_path / "missing" / "receipts")


def test_a_full_disk_is_told_and_leaves_whole_lines(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_some = os.write
    with ReceiptFile(path) as file:
        file.add(receipt("a"))
        room = [10]

        def full(descriptor: int, content: bytes) -> int:
            if not room:
                raise OSError(28, "No space left on device")
            return write_some(descriptor, content[: room.pop()])

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(CommandError, match="No space left on device") as caught:
                file.add(receipt("b"))
    assert caught.value.code == ExitCode.UNAVAILABLE
    assert path.read_bytes() == encode(receipt("a"))


def test_a_table_holds_each_receipt_once_and_what_is_known_of_it() -> None:
    with open_table() as table:
        table.add([receipt("a"), receipt("b"), receipt("a"), receipt("c", timestream="2")])
        assert email("a") in table
        assert email("z") not in table
        assert email("a", timestream="3") not in table
        table.mark([Mark("1706213694", receipt("a").identity, State.ARCHIVED)])
        table.mark([Mark("1706213694", receipt("a").identity, State.MISSING)])
        assert table.state_of("1706213694", receipt("a").identity) == State.ARCHIVED
        assert table.counts()[State.UNKNOWN] == 2
        assert [row.receipt for row in table.rows(State.ARCHIVED)] == [receipt("a")]


def test_rows_are_all_given_though_they_are_marked_meanwhile() -> None:
    receipts = [receipt(str(number), timestream=str(number % 3)) for number in range(2500)]
    with open_table() as table:
        table.add(receipts)
        seen = []
        for row in table.rows(State.UNKNOWN):
            seen.append(row.receipt.identity)
            table.mark([Mark(row.receipt.timestream, row.receipt.identity, State.MISSING)])
    assert sorted(seen) == sorted(each.identity for each in receipts)


def test_a_temporary_volume_without_room_is_told_with_the_way_out() -> None:
    with pytest.raises(CommandError, match="TMPDIR"), open_table():
        raise sqlite3.OperationalError("database or disk is full")
