"""What the process tests start: sends or receives, and writes a line for each message that is confirmed or deleted."""

from __future__ import annotations

import asyncio
import sys

from checkpoint.message_queue.adapters import open_receiving, open_sending

BATCH = 10


def write(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


async def send(url: str, name: str, count: int) -> None:
    async with open_sending(url) as sending:
        for start in range(0, count, BATCH):
            bodies = [f"{name}{number}" for number in range(start, start + BATCH)]
            assert await sending.send([body.encode() for body in bodies]) == [None] * BATCH
            write(*bodies)


async def receive(url: str) -> None:
    async with open_receiving(url) as receiving:
        while messages := await receiving.receive(BATCH, wait_seconds=2, visibility_seconds=1):
            assert await receiving.delete(messages) == [None] * len(messages)
            write(*(message.body.decode() for message in messages))


if __name__ == "__main__":
    match sys.argv[1:]:
        case [url, "send", name, count]:
            asyncio.run(send(url, name, int(count)))
        case [url, "receive"]:
            asyncio.run(receive(url))
