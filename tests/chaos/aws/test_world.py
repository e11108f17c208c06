"""The world without faults: what the adapters do there is seen past them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from conservation.history import identity
from emails import email

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.aws.world import AWS


async def test_what_is_sent_is_waiting_and_confirmed(world: AWS, process: Callable[..., Any]) -> None:
    began = time.monotonic()
    async with process("processing_requests") as adapters:
        assert await adapters.sending.send([b"one", b"two"]) == [None, None]
    assert world.waiting() == 2
    confirmed = world.confirmations()
    assert {each.identity for each in confirmed} == {identity(b"one"), identity(b"two")}
    assert all(began <= each.asked_at <= each.at <= time.monotonic() for each in confirmed)


async def test_what_is_received_is_waiting_until_it_is_deleted(world: AWS, process: Callable[..., Any]) -> None:
    world.put(b"one")
    async with process() as adapters:
        messages = await adapters.receiving.receive(10, wait_seconds=0, visibility_seconds=30)
        assert [message.body for message in messages] == [b"one"]
        assert world.waiting() == 1
        await adapters.receiving.delete(messages)
    assert world.waiting() == 0


async def test_objects_and_dead_letters_are_told_by_their_digests(world: AWS, process: Callable[..., Any]) -> None:
    world.put(b"bad")
    async with process() as adapters:
        await adapters.archive.put(email())
        [message] = await adapters.receiving.receive(10, wait_seconds=0, visibility_seconds=30)
        await adapters.receiving.dead_letter(message, "because")
    assert world.objects() == {next(email().names): email().identity}
    assert world.dead_letters() == [identity(b"bad")]
    assert world.dead_letters() == [identity(b"bad")]


def test_each_process_has_ports_of_its_own(world: AWS) -> None:
    urls = [
        world.environment(program, number)[name]
        for program in ("processing_requests", "message_broker")
        for number in (1, 2)
        for name in ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_S3")
    ]
    assert len(set(urls)) == 8
