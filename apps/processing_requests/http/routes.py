"""Which path leads where."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from processing_requests.answers import METHOD_NOT_ALLOWED, NOT_FOUND, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from processing_requests.answers import Refusal
    from processing_requests.http.request import Request
    from processing_requests.http.response import Response


class Client(Protocol):
    """Who waits for an answer."""

    def respond(self, request: Request, response: Response) -> None:
        """Answer the request; where that has become pointless, nothing happens."""
        ...


class Route(Protocol):
    """What answers the requests of one path."""

    def begin(self, request: Request) -> Response | int:
        """Called when a request's head is there: an answer that needs no body, or the most bytes its body may have."""
        ...

    def take(self, request: Request, body: bytes, client: Client) -> None:
        """Called with the whole body; answers the client at once or later, exactly once."""
        ...

    def refuse(self, request: Request, refusal: Refusal) -> Response:
        """The answer to a request that begins well, but whose body or whose end does not."""
        ...

    def disconnected(self, request: Request) -> None:
        """Called where the client closes the connection before the body has arrived."""
        ...


class WithoutBody:
    """A route that answers by the head alone."""

    def begin(self, request: Request) -> Response:
        """As `Route` says."""
        raise NotImplementedError

    def take(self, request: Request, body: bytes, client: Client) -> None:
        """Never called."""
        raise NotImplementedError

    def refuse(self, request: Request, refusal: Refusal) -> Response:
        """As `Route` says."""
        return refused(request.fields, refusal)

    def disconnected(self, request: Request) -> None:
        """As `Route` says."""


class Refused(WithoutBody):
    """The same refusal for every request."""

    def __init__(self, refusal: Refusal) -> None:
        self._refusal = refusal

    def begin(self, request: Request) -> Response:
        """As `Route` says."""
        return refused(request.fields, self._refusal)


class Routes:
    """All that there is.

    routes: by path, then by method.
    """

    def __init__(self, routes: Mapping[bytes, Mapping[bytes, Route]]) -> None:
        self._routes = {(path, method): route for path, methods in routes.items() for method, route in methods.items()}
        self._wrong_method = {
            path: Refused(replace(METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(name.decode() for name in methods)}))
            for path, methods in routes.items()
        }
        self._wrong_path = Refused(NOT_FOUND)

    def find(self, request: Request) -> Route:
        """The route for a request, which is always one."""
        route = self._routes.get((request.path, request.method))
        return route or self._wrong_method.get(request.path, self._wrong_path)
