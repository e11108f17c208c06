"""Which token a request is judged by, and how."""

from __future__ import annotations

import pytest

from intake_bench import JSON, Bench, email, posted

NO_TOKEN = b'{"data": ' + posted()[len(b'{"data": ') :].partition(b', "token"')[0] + b"}"


async def status(bench: Bench, body: bytes, authorization: bytes | str | None = None) -> int:
    headers = JSON if authorization is None else {**JSON, "Authorization": authorization}
    return (await bench.post(body, headers)).status_code  # type: ignore[arg-type]  # httpx takes bytes as well


@pytest.mark.parametrize("token", ["wrong", "", "foobar ", "Foobar", "fooba", 1, None, True, [], ["foobar"], {}])
async def test_a_token_that_is_wrong_or_no_string_is_refused(bench: Bench, token: object) -> None:
    assert await status(bench, posted(token=token)) == 401
    assert bench.queued == []


async def test_a_request_without_a_token_is_refused(bench: Bench) -> None:
    assert await status(bench, NO_TOKEN) == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_token_may_come_in_the_header(bench: Bench, scheme: str) -> None:
    assert await status(bench, NO_TOKEN, f"{scheme} foobar") == 200


async def test_the_header_goes_before_the_body(bench: Bench) -> None:
    assert await status(bench, posted(token="wrong"), "Bearer foobar") == 200
    assert await status(bench, posted(token="foobar"), "Bearer wrong") == 401
    assert await status(bench, posted(token="foobar"), "Bearer ") == 401
    assert await status(bench, posted(token="foobar"), "Bearer") == 401


@pytest.mark.parametrize("authorization", ["Basic foobar", "foobar", "", "Token foobar", "Bearerfoobar"])
async def test_another_scheme_is_no_token_and_leaves_the_bodys(bench: Bench, authorization: str) -> None:
    assert await status(bench, NO_TOKEN, authorization) == 401
    assert await status(bench, posted(), authorization) == 200


async def test_each_of_several_tokens_is_valid_and_nothing_else() -> None:
    bench = Bench(token=" old , new,,")
    assert await status(bench, posted(token="old")) == 200
    assert await status(bench, posted(token="new")) == 200
    assert await status(bench, NO_TOKEN, "Bearer old") == 200
    for wrong in ("old,new", " old ", "", ","):
        assert await status(bench, posted(token=wrong)) == 401


async def test_a_token_beyond_ascii_is_valid_in_the_body_and_in_the_header() -> None:
    bench = Bench(token="clé-🔑")
    assert await status(bench, posted(token="clé-🔑")) == 200
    assert await status(bench, NO_TOKEN, "Bearer clé-🔑".encode()) == 200
    assert await status(bench, posted(token="clé")) == 401
    assert await status(bench, NO_TOKEN, "Bearer clé-🔑".encode("utf-16-le").replace(b"\0", b"")) == 401


async def test_the_token_never_reaches_the_queue(bench: Bench) -> None:
    assert await status(bench, posted(email(token="another matter"))) == 200
    assert b"foobar" not in bench.queued[0]
    assert b'"token": "another matter"' in bench.queued[0]
