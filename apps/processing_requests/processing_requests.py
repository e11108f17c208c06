"""The intake: POST /process_request → checked → on the queue → 200. Nothing else answers 200."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from checkpoint.email import Email, NotAnEmailError
from checkpoint.operations.telemetry import log_failure
from processing_requests import answers
from processing_requests.answers import RefusedError
from processing_requests.body import check_media_type, decode, text_of_data
from processing_requests.openapi import description_routes
from processing_requests.tokens import bearer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from checkpoint.clock import Clock
    from processing_requests.body import BodyReader
    from processing_requests.metrics import Metrics
    from processing_requests.queue_sender import QueueSender
    from processing_requests.tokens import Tokens

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """Takes e-mails over HTTP.

    clock_skew_seconds: how far ahead of the clock an e-mail may be dated.
    """

    tokens: Tokens
    bodies: BodyReader
    sender: QueueSender
    metrics: Metrics
    clock: Clock
    clock_skew_seconds: int

    async def process_request(self, request: Request) -> Response:
        """Answer one POST /process_request."""
        began = self.clock.monotonic()
        try:
            email = await self._checked(request)
            await self.sender.send(email)
            answer = answers.processed(email.identity)
            _log.debug("message_queued", message_id=email.identity)
        except RefusedError as refused:
            answer = answers.refused(request, refused.refusal, refused.faults)
            _log.debug("request_refused", status=answer.status_code, error=refused.refusal.error, fields=refused.fields)
        except ClientDisconnect:
            self.metrics.client_disconnects.inc()
            _log.debug("client_disconnected")
            return answers.refused(request, answers.REQUEST_TIMEOUT)  # the server drops it: nobody is there to read it
        except asyncio.CancelledError:  # by the server, when the time for stopping is over
            answer = answers.refused(request, answers.QUEUE_UNAVAILABLE)
            _log.debug("request_cancelled", status=answer.status_code)
        except Exception as error:  # noqa: BLE001  one request's fault is not the others'
            answer = answers.refused(request, answers.INTERNAL_ERROR)
            log_failure(_log, error)
        self.metrics.requests.labels(answer.status_code).inc()
        self.metrics.request_duration.observe(self.clock.monotonic() - began)
        return answer

    async def _checked(self, request: Request) -> Email:
        check_media_type(request)
        self.sender.check_room()
        max_bytes = self.sender.max_bytes
        body = await self.bodies.read(request, max_bytes=max_bytes)
        posted = decode(body)
        token = bearer(request)
        if not self.tokens.accept(posted.get("token") if token is None else token):
            raise RefusedError(answers.INVALID_TOKEN)
        latest = int(self.clock.time()) + self.clock_skew_seconds
        try:
            email = Email.accept(text_of_data(body), posted.get("data"), latest=latest)
        except NotAnEmailError as error:
            raise RefusedError(answers.INVALID_FIELDS, error.faults) from None
        if len(email.body) > max_bytes:  # the two characters that were escaped are longer now
            raise RefusedError(answers.too_large(max_bytes))
        return email


def build_app(intake: Intake) -> Starlette:
    """The ASGI app around an intake."""
    app = Starlette(
        routes=[Route("/process_request", intake.process_request, methods=["POST"]), *description_routes()],
        exception_handlers={HTTPException: _refused_by_router},
    )
    app.router.redirect_slashes = False
    return app


async def _refused_by_router(request: Request, error: Exception) -> Response:
    refusal = answers.refusal_of(cast("HTTPException", error))
    return answers.refused(request, refusal)
