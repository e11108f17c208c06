"""The intake: POST /process_request → checked → on the queue → 200. Nothing else answers 200."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from checkpoint.operations.telemetry import log_failure
from processing_requests import answers
from processing_requests.answers import RefusedError
from processing_requests.check import check, check_media_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checkpoint.clock import Clock
    from checkpoint.email import Fault
    from processing_requests.answers import Refusal
    from processing_requests.http.request import Request
    from processing_requests.http.response import Response
    from processing_requests.http.routes import Client
    from processing_requests.metrics import Metrics
    from processing_requests.queue_sender import QueueSender
    from processing_requests.tokens import Tokens

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """Takes e-mails: the route of POST /process_request. What each step is for, `http.routes.Route` says.

    clock_skew_seconds: how far ahead of the clock an e-mail may be dated.
    logs_each: whether each request has a line in the log.
    """

    tokens: Tokens
    sender: QueueSender
    metrics: Metrics
    clock: Clock
    clock_skew_seconds: int
    logs_each: bool

    def begin(self, request: Request) -> Response | int:
        """Refuse what no body would make good."""
        request.began = self.clock.monotonic()
        if not self.sender.has_room:  # first, for a crowd must cost less than it would if it were served
            return self.refuse(request, answers.OVERLOADED)
        try:
            check_media_type(request.fields)
            max_bytes = self.sender.max_bytes
        except RefusedError as refused:
            return self.refuse(request, refused.refusal)
        return max_bytes

    def take(self, request: Request, body: bytes, client: Client) -> None:
        """Check the e-mail and put it on the queue; the client is answered when the queue has confirmed it."""
        try:
            latest = int(self.clock.time()) + self.clock_skew_seconds
            email = check(request.fields, body, tokens=self.tokens, latest=latest, max_bytes=self.sender.max_bytes)
            request.fields = answers.deciding_fields(request.fields)  # it may wait for long, and they may be long
            self.sender.put(email.body, partial(self._sent, request, client, email.identity))
        except RefusedError as refused:
            client.respond(request, self.refuse(request, refused.refusal, refused.faults))
        except Exception as error:  # noqa: BLE001  one request's fault is not the others'
            log_failure(_log, error)
            client.respond(request, self.refuse(request, answers.INTERNAL_ERROR))

    def refuse(self, request: Request, refusal: Refusal, faults: Sequence[Fault] = ()) -> Response:
        """Count a refusal, and put it into the form that the client asked for."""
        if self.logs_each:
            fields = answers.names_of(faults)
            _log.debug("request_refused", status=refusal.status, error=refusal.error, fields=fields)
        self._count(request, refusal.status)
        self.metrics.refused(refusal)
        return answers.refused(request.fields, refusal, faults)

    def disconnected(self, request: Request) -> None:  # noqa: ARG002  nothing of it is told
        """Count a request that has no answer."""
        self.metrics.client_disconnects.inc()
        _log.debug("client_disconnected")

    def _sent(self, request: Request, client: Client, identity: str, refusal: Refusal | None) -> None:
        if refusal:
            client.respond(request, self.refuse(request, refusal))
            return
        if self.logs_each:
            _log.debug("message_queued", message_id=identity)
        self._count(request, 200)
        client.respond(request, answers.processed(identity))

    def _count(self, request: Request, status: int) -> None:
        self.metrics.answered[status].inc()
        self.metrics.request_duration.observe(self.clock.monotonic() - request.began)
