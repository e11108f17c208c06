"""The token and the e-mail's content never leave by a log line, an error, a repr or a metric."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING

import pytest
import structlog
from prometheus_client import generate_latest

from checkpoint.operations.telemetry import configure_logging
from processing_requests.settings import IntakeSettings
from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import JSON, email, posted
from unit.processing_requests.raw_http import connected, head

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "s3cr3t"


@contextmanager
def everything_logged() -> Iterator[StringIO]:
    """Log as the service does at its most talkative, and libraries at debug as well."""
    configuration, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with redirect_stdout(StringIO()) as written, redirect_stderr(written):
        try:
            configure_logging("debug", "json")
            structlog.configure(cache_logger_on_first_use=False)  # else later tests would log where this one did
            root.setLevel(logging.DEBUG)
            yield written
        finally:
            structlog.configure(**configuration)
            root.handlers, root.level = handlers, level


def marked(name: str) -> str:
    return f"{MARK}-{name}"


EMAIL = {name: marked(name) for name in email()} | {"email_timestream": "1706213694", marked("name"): [marked("value")]}
TOKEN = marked("token")


async def every_kind_of_request(intake: Intake) -> dict[int, int]:
    """Requests for every answer there is, each with all the secrets it can hold; how often each status came."""
    good = posted(EMAIL, TOKEN)
    headers = {**JSON, "Authorization": f"Bearer {TOKEN}", "Accept": "application/problem+json"}
    bodies = [
        good,
        posted(EMAIL, marked("wrong-token")),
        posted({**EMAIL, "email_timestream": marked("date")}, TOKEN),
        posted([marked("data")], TOKEN),
        good[:-1],
        good.replace(b'"' + marked("value").encode(), rb'"\ud800' + marked("value").encode()),
        good.replace(marked("value").encode(), marked("value").encode() + b"\xff"),
        good.ljust(intake.settings.max_request_bytes + 1),
    ]
    statuses: dict[int, int] = {}

    async def post(body: bytes, headers: dict[str, str], path: str = "/process_request") -> None:
        status = (await intake.request("POST", path, content=body, headers=headers)).status_code
        statuses[status] = statuses.get(status, 0) + 1

    for body in bodies:
        await post(body, JSON)
        await post(body, headers)
    await post(good, {"Content-Type": marked("type")})
    await post(good, {**JSON, "Authorization": f"Bearer {marked('wrong')}"})
    await post(good, headers, f"/{marked('path')}")
    intake.queue.unavailable = "down"
    await post(good, JSON)
    intake.queue.unavailable = None
    intake.queue.error = RuntimeError(good.decode())
    await post(good, JSON)
    intake.queue.error = None
    return statuses


async def test_no_log_line_at_any_level_holds_a_token_or_content() -> None:
    intake = Intake(token=f"{TOKEN},{marked('other-token')}", max_request_bytes=2000)
    with everything_logged() as written:
        statuses = await every_kind_of_request(intake)
        async with intake.serving() as port:
            for raw in (
                head(len(posted(EMAIL, TOKEN)), f"Authorization: Bearer {TOKEN}") + posted(EMAIL, TOKEN),
                f"GET /{MARK} {MARK}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode(),
                head(None, f"Upgrade: {MARK}", "Connection: upgrade") + f"{MARK}\r\n".encode(),
            ):
                async with connected(port) as (reader, writer):
                    writer.write(raw)
                    await reader.read(1)
    assert set(statuses) == {200, 400, 401, 404, 413, 415, 500, 503}
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    lines = [line for line in lines if line.get("logger") != "httpx"]  # the client's own
    assert MARK not in repr(lines)
    assert {line["level"] for line in lines} >= {"debug", "info", "error"}
    assert {line["event"] for line in lines} >= {
        "message_queued",
        "request_refused",
        "unexpected_error",
        "requests_answered",
        "queue_unavailable",
        "queue_available",
    }


async def test_no_metric_holds_a_token_or_content() -> None:
    intake = Intake(token=TOKEN, max_request_bytes=2000)
    await every_kind_of_request(intake)
    exposed = generate_latest(intake.service.metrics.registry).decode()
    assert 'checkpoint_requests_total{status="200"}' in exposed
    assert MARK not in exposed


async def test_no_answer_repeats_a_token_or_content() -> None:
    intake = Intake(token=TOKEN)
    for body in (posted(EMAIL, "x"), posted([marked("x")], TOKEN), posted(EMAIL, TOKEN)[:-1]):
        response = await intake.post(body, {**JSON, "Accept": "application/problem+json"})
        assert MARK not in response.text + repr(response.headers)


async def test_no_repr_of_what_holds_tokens_shows_them() -> None:
    intake = Intake(token=TOKEN)
    settings = IntakeSettings(token=TOKEN)
    assert MARK not in f"{intake.service.tokens!r} {intake.service.tokens} {settings!r} {settings}"


def test_an_error_about_tokens_does_not_repeat_them(intake: Intake) -> None:
    with pytest.raises(ValueError, match="holds no token"):
        intake.service.tokens.replace(" , ")
