"""Draw docs/images/status.svg: what `checkpoint status --watch` shows of both services under a load that changes."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import math
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from command_line.settings import CommandLineSettings
from command_line.status.commands import described, looking_at, watch_in
from command_line.status.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from command_line.status.state import Status

FILE: Final = Path(__file__).parents[1] / "docs/images/status.svg"
LOOKS: Final = 13
EVERY_SECONDS: Final = 1.0
POSTED_PER_SECOND: Final = 120
START_SECONDS: Final = 30
# The picture asks no other host for its font.
SVG: Final = re.sub(r"\s*@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main() -> None:
    """Start both services in an empty directory, post to them, look, and write the picture."""
    with tempfile.TemporaryDirectory(prefix="checkpoint-") as name, ExitStack() as running:
        directory = Path(name)
        port, intake_port, broker_port = free_port(), free_port(), free_port()
        for program, private_port in (("processing_requests", intake_port), ("message_broker", broker_port)):
            environment = {"PATH": os.environ["PATH"], "PORT": str(port), "PRIVATE_PORT": str(private_port)}
            running.enter_context(started(program, directory, environment))
        settings = CommandLineSettings(
            queue_url=f"sqlite:///{directory}/data/queue.db",
            archive_url=(directory / "data/archive").as_uri(),
            intake_private_url=f"http://127.0.0.1:{intake_port}",
            broker_private_url=f"http://127.0.0.1:{broker_port}",
        )
        for private_port in (intake_port, broker_port):
            wait_for(private_port)
        drawn = asyncio.run(watched(settings, f"http://127.0.0.1:{port}/process_request"))
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(drawn)


async def watched(settings: CommandLineSettings, url: str) -> str:
    """The last look of a few, as SVG."""
    drawing = Drawing(queue=described(settings.queue_url), archive=described(settings.archive_url))
    panels: list[RenderableType] = []

    def show(found: Status) -> None:
        panels[:] = [drawing.draw(found)]

    posting = asyncio.create_task(post(url))
    async with looking_at(settings) as looking:
        await watch_in(looking, EVERY_SECONDS, show, looks=LOOKS)
    posting.cancel()
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True)
    console.print(*panels)
    return console.export_svg(title="checkpoint status --watch", code_format=SVG, unique_id="status")


async def post(url: str) -> None:
    """Post e-mails, now faster, now slower, until cancelled."""
    began = time.time()
    async with aiohttp.ClientSession() as http:
        for number in itertools.count():
            data = {
                "email_subject": f"Happy new year {number}!",
                "email_sender": "John doe",
                "email_timestream": str(int(began) - number),
                "email_content": "Just want to say... Happy new year!!!",
            }
            body = json.dumps({"data": data, "token": "foobar"})
            async with http.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
                answer.raise_for_status()
            await asyncio.sleep((1.2 + math.sin(time.time() - began)) / POSTED_PER_SECOND)


@contextmanager
def started(program: str, directory: Path, environment: dict[str, str]) -> Iterator[None]:
    """A service while the body runs."""
    process = subprocess.Popen(  # noqa: S603  a program of this project
        [sys.executable, "-m", program], cwd=directory, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    """Return when something listens there."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
