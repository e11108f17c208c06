"""The public port: one listening socket, and uvicorn upon it."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import structlog
import uvicorn

from processing_requests.http_protocol import bounded

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from starlette.applications import Starlette

_log = structlog.get_logger()

# Longer than the 60 s for which AWS's load balancers keep an idle connection, so that it is never this side that
# closes one under a request: https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/config-idle-timeout.html
_KEEP_ALIVE_SECONDS: Final = 75


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket. Raises OSError where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=2048) as listening:
        _log.info("listening", host=host, port=listening.getsockname()[1])
        yield listening


async def serve_http(
    app: Starlette,
    listening: socket.socket,
    *,
    stop: asyncio.Event,
    header_timeout_seconds: float,
    drain_seconds: float,
) -> None:
    """Serve until `stop` is set; return when the requests under way are answered, or `drain_seconds` later."""
    config = uvicorn.Config(
        app,
        http=bounded(header_timeout_seconds),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(drain_seconds)),
    )
    await _Server(config, stop).serve([listening])


class _Server(uvicorn.Server):
    """uvicorn that leaves the process's signals alone: its own handlers end the process by the signal."""

    def __init__(self, config: uvicorn.Config, stop: asyncio.Event) -> None:
        super().__init__(config)
        self._stop = stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._stop.is_set()
