"""An intake that answers as a test tells it: over real HTTP, in the test's own loop."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from aiohttp import web

from checkpoint.email import Email
from checkpoint.json_text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

DROP: Final = "drop"  # the connection is closed without an answer
TORN: Final = "torn"  # the connection is closed in the middle of an answer of 200


class FailingIntake:
    """Answers 200 as the intake does, but what the script says first.

    script: by a part of the body, what to answer to the requests that have it, one after the other: what makes a
    response, DROP or TORN. bodies: of all requests that came. kept: identities that were confirmed.
    most_at_once: requests under way.
    """

    def __init__(self) -> None:
        self.script: dict[bytes, list[Callable[[], web.Response] | str]] = {}
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.kept: list[str] = []
        self.most_at_once = 0
        self._at_once = 0
        app = web.Application(client_max_size=2**25)
        app.router.add_post("/process_request", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        self.url = ""

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            body = await request.read()
            await asyncio.sleep(0)  # so that requests overlap
            self.bodies.append(body)
            self.headers.append(dict(request.headers))
            for part, answers in self.script.items():
                if part in body and answers:
                    return await self._scripted(request, answers.pop(0))
            return self._confirm(body)
        finally:
            self._at_once -= 1

    async def _scripted(self, request: web.Request, answer: Callable[[], web.Response] | str) -> web.StreamResponse:
        if not isinstance(answer, str):
            return answer()
        torn = web.StreamResponse(headers={"Content-Length": "100"})
        if answer == TORN:
            await torn.prepare(request)
            await torn.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return torn

    def _confirm(self, body: bytes) -> web.Response:
        text = body.removeprefix(b'{"data":').removesuffix(b"}")
        identity = Email.read(on_one_line(text)).identity
        self.kept.append(identity)
        return web.json_response({"message": "Request processed successfully"}, headers={"X-Message-Id": identity})


def problem(status: int, title: str, *details: str, **headers: str) -> Callable[[], web.Response]:
    """A refusal as the intake gives it."""
    errors = [{"detail": each} for each in details]
    content = json.dumps({"title": title, "status": status, "detail": "what to do", "errors": errors})
    return answer(status, content, **headers)


def answer(status: int, content: str = "", **headers: str) -> Callable[[], web.Response]:
    """Any other answer."""
    return partial(web.Response, status=status, text=content, headers=headers)
