"""Clients: they post e-mails, some of them several times, and post again what was not answered 200."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conservation.history import Post, identity
from processing_requests.answers import TOO_LARGE
from processing_requests.http.request import Request
from processing_requests.http.response import Response
from simulation.programs import TOKEN

if TYPE_CHECKING:
    from random import Random

    from simulation.plan import Mail
    from simulation.programs import IntakeProcess
    from simulation.world import World

_HEAD: Final = b"POST /process_request HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\r\n"
_FINAL: Final = frozenset({200, 400, 401, 408, 413, 415})
_MOST_BACKOFF_SECONDS: Final = 5.0
_NETWORK_SECONDS: Final = (0.0005, 0.02)


def email(timestream: str, content: str) -> bytes:
    """An e-mail's bytes."""
    fields = f'"email_timestream":"{timestream}","email_content":"{content}"'
    return ('{"email_subject":"a","email_sender":"b",' + fields + "}").encode()


class Client:
    """Posts one e-mail until it is answered 200, or until it gives up; then again, as often as it has to be posted."""

    def __init__(self, world: World, mail: Mail, random: Random) -> None:
        self.world = world
        self.mail = mail
        self.random = random
        self.body = email(mail.timestream, f"{mail.number:0{mail.size}}")
        self.post_body = b'{"token":"%s","data":%s}' % (TOKEN.encode(), self.body)
        self.identity = identity(self.body)
        self.open = mail.times

    @property
    def is_done(self) -> bool:
        return not self.open

    def start(self) -> None:
        """Post, as often as it has to be; together or one after another."""
        for number in range(self.mail.times):
            self.world.scheduler.after(number * self.mail.gap, self.post, self.mail.tries)

    def post(self, tries: int) -> None:
        """Ask one of the intakes, as a load balancer would choose it: one that listens, if any does."""
        intakes = self.world.intakes
        listening = [intake for intake in intakes if intake.listens] or intakes
        Exchange(self, self.random.choice(listening), tries)

    def ended(self, status: int | None, tries: int) -> None:
        """Go on by an answer; None: there was none."""
        if status in _FINAL or tries == 1:
            self.open -= 1
        else:
            wait = self.random.uniform(0.05, _MOST_BACKOFF_SECONDS)
            self.world.scheduler.after(wait, self.post, max(0, tries - 1))


class Exchange:
    """One request and its answer, over a connection of its own."""

    def __init__(self, client: Client, intake: IntakeProcess, tries: int) -> None:
        self._client = client
        self._intake = intake
        self._tries = tries
        self._world = client.world
        self._has_ended = False
        self.status: int | None = None
        self._began = self._world.scheduler.stamp()
        self._is_counted = True
        self._world.open_requests[client.identity] += 1
        self._world.trace("client", f"posts {client.identity[:8]} to {intake.name}")
        self._later(self._arrive)
        self._world.scheduler.after(client.mail.patience, self._end, None, "waits no longer")

    def respond(self, request: Request, response: Response) -> None:  # noqa: ARG002  as `Client` of the product has it
        """The intake's answer: from here on its own code has done all that it does."""
        self._intake.exchanges.pop(self, None)
        if self.status is not None:
            self._world.error(f"two answers to one request: {self.status} and {response.status}")
        self.status = response.status
        self._answered_at = self._world.scheduler.stamp()
        self._over()
        self._later(self._end, response.status, "")

    def broken(self) -> None:
        """The intake is gone."""
        self._over()
        self._later(self._end, None, "connection reset")

    def _arrive(self) -> None:
        intake = self._intake
        if not intake.listens or intake.loop is None:
            self._over()
            self._later(self._end, None, "connection refused")
            return
        intake.exchanges[self] = None
        intake.loop.deliver(self._take)

    def _take(self) -> None:
        """In the intake's process: what a connection does with a request."""
        service = self._intake.service
        assert service is not None
        request = Request(_HEAD)
        begun = service.intake.begin(request)
        if isinstance(begun, Response):
            self.respond(request, begun)
        elif len(self._client.post_body) > begun:
            self.respond(request, service.intake.refuse(request, TOO_LARGE))
        else:
            service.intake.take(request, self._client.post_body, self)

    def _end(self, status: int | None, why: str) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        scheduler, client = self._world.scheduler, self._client
        ended = scheduler.stamp() if status is None else self._answered_at
        self._world.history.posts.append(Post(client.identity, self._began, ended, status))
        self._world.trace("client", f"{client.identity[:8]} is answered {status} {why}")
        if status == 200:
            self._world.kept_at.setdefault(client.identity, scheduler.now)
        client.ended(status, self._tries)

    def _over(self) -> None:
        """No intake has it any more."""
        self._world.open_requests[self.identity] -= self._is_counted
        self._is_counted = False

    def _later(self, event: object, *args: object) -> None:
        self._world.scheduler.after(self._client.random.uniform(*_NETWORK_SECONDS), event, *args)  # type: ignore[arg-type]  # an event of this class

    @property
    def identity(self) -> str:
        return self._client.identity
