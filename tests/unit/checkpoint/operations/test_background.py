"""Coroutines in the background of a service."""

from __future__ import annotations

import asyncio

import pytest

from checkpoint.operations.background import in_background


async def forever() -> None:
    await asyncio.Event().wait()


async def test_coroutines_are_cancelled_when_the_body_ends() -> None:
    async with asyncio.timeout(5):
        async with in_background(forever(), forever()):
            pass
    assert len(asyncio.all_tasks()) == 1


async def test_a_coroutine_that_fails_ends_the_body_with_its_own_error() -> None:
    async def fails() -> None:
        raise ConnectionError("broken")

    async with asyncio.timeout(5):
        with pytest.raises(ConnectionError, match="broken"):
            async with in_background(forever(), fails()):
                await forever()


async def test_an_error_of_the_body_comes_through_as_itself() -> None:
    with pytest.raises(ZeroDivisionError):
        async with in_background(forever()):
            raise ZeroDivisionError
