"""What is posted from files: lines of any source, in bounded memory, each an e-mail or a request."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command_line.posting import items as items_module
from command_line.posting.items import Item, Lines
from command_line.posting.reading import cut_into_lines, read
from command_line.running import CommandError, ExitCode
from emails import body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def chunks(*given: bytes) -> AsyncIterator[bytes]:
    for each in given:
        yield each


async def cut(*given: bytes, longest: int = 10) -> list[bytes | None]:
    return [line async for lines in cut_into_lines(chunks(*given), longest=longest) for line in lines]


async def items_of(*files: Path) -> list[Item]:
    with Lines(files) as lines:
        return [item async for items in lines.items() for item in items]


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ([], []),
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a\nb"], [b"a", b"b"]),
        ([b"a", b"b", b"\n", b"c"], [b"ab", b"c"]),
        ([b"\n\na\n"], [b"", b"", b"a"]),
        ([b"0123456789\n"], [b"0123456789"]),
        ([b"0123456789a\nb\n"], [None, b"b"]),
        ([b"01234", b"56789", b"abc", b"d\nb"], [None, b"b"]),
        ([b"01234", b"56789", b"abc"], [None]),
    ],
)
async def test_lines_are_cut_wherever_a_read_ends_and_long_ones_are_not_kept(
    given: list[bytes], lines: list[bytes | None]
) -> None:
    assert await cut(*given) == lines
    assert await cut(*(bytes([byte]) for byte in b"".join(given))) == lines


async def test_a_line_is_an_email_or_a_request_with_one(tmp_path: Path) -> None:
    with_data = body().replace(b"{", b'{"data": {"a": 1}, ', 1)
    file = tmp_path / "posts.jsonl"
    file.write_bytes(
        b"\xef\xbb\xbf" + body("1") + b"\r\n"
        b'\n  \n {"token": "secret", "data" :  ' + body("2") + b' , "more": [] } \n' + with_data + b"\n"
        b'[1]\n{"data": 7}\nnot JSON\n{}'
    )
    assert [(each.place.rpartition(":")[2], each.text, bool(each.fault)) for each in await items_of(file)] == [
        ("1", body("1"), False),
        ("4", body("2"), False),
        ("5", with_data, False),
        ("6", b"", True),
        ("7", b"7", False),  # the intake says what is wrong with it
        ("8", b"", True),
        ("9", b"{}", False),
    ]


async def test_files_are_read_one_after_the_other_and_their_length_is_known(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_bytes(body("1"))
    second.write_bytes(body("2") + b"\n")
    with Lines([first, second]) as lines:
        assert lines.total_bytes == len(body("1")) + len(body("2")) + 1
        found = [item async for items in lines.items() for item in items]
        assert lines.read_bytes == lines.total_bytes
    assert [(each.place, each.text) for each in found] == [(f"{first}:1", body("1")), (f"{second}:1", body("2"))]


async def test_a_line_that_no_intake_would_take_is_told_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items_module, "_LONGEST_LINE", 100)
    (tmp_path / "f").write_bytes(b"x" * 101 + b"\n{}\n")
    assert [each.fault for each in await items_of(tmp_path / "f")] == ["The line is longer than 100 bytes.", ""]


async def test_every_file_is_opened_before_the_first_is_posted(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    for missing, reason in ((tmp_path / "missing", "No such file or directory"), (tmp_path, "is a directory")):
        with pytest.raises(CommandError, match=reason) as caught, Lines([tmp_path / "there", missing]):
            pytest.fail("it was opened")
        assert caught.value.code == ExitCode.MISUSED


async def test_a_name_of_a_file_moves_no_cursor(tmp_path: Path) -> None:
    file = tmp_path / "\x1b[2J"
    file.write_bytes(b"{}")
    assert "\x1b" not in (await items_of(file))[0].place


async def test_to_wait_for_a_pipe_can_be_cancelled() -> None:
    reading, writing = os.pipe()
    try:
        source = read(reading)
        os.write(writing, b"a\n")
        assert await anext(source) == b"a\n"
        waiting = asyncio.ensure_future(anext(source))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=5)
        assert waiting.cancelled()
    finally:
        os.close(reading)
        os.close(writing)


async def test_a_pipe_is_read_to_its_end_and_devices_too() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a\nb\n")
    os.close(writing)
    assert [each async for each in read(reading)] == [b"a\nb\n"]
    os.close(reading)
    assert await items_of(Path("/dev/null")) == []
