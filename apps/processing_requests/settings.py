"""The intake's settings, each from the environment variable of its name, with its meaning."""

import ipaddress
from typing import Annotated, Final

from msgspec import Meta

from checkpoint.email import MAX_BODY_BYTES
from checkpoint.message_queue.adapters import QUEUES
from checkpoint.settings import Check, Count, LogFormat, LogLevel, Port, Seconds, Settings

_DEFAULT_TOKEN: Final = "foobar"  # noqa: S105  for a first try: refused on any but a loopback address


_MOST_WORKERS: Final = 256


def _check_workers(value: str) -> None:
    if value != "auto" and not (value.isascii() and value.isdigit() and 1 <= int(value) <= _MOST_WORKERS):
        raise ValueError(f"must be a whole number from 1 to {_MOST_WORKERS}, or auto.")


class IntakeSettings(Settings, frozen=True, kw_only=True):
    """All times are in seconds, all sizes in bytes."""

    queue_url: Annotated[
        str,
        Check(QUEUES.check),
        Meta(description="the queue: sqlite:///relative.db, sqlite:////absolute.db, or an SQS queue's URL"),
    ] = "sqlite:///data/queue.db"
    token: Annotated[
        str,
        Meta(
            description="the tokens that clients may present, separated by commas; "
            "from SSM, they are read again while running",
            extra={"default": f"{_DEFAULT_TOKEN} on a loopback address, else none"},
        ),
    ] = ""
    token_refresh_seconds: Annotated[
        Seconds, Meta(description="how often tokens from SSM are read again; a failed read keeps the last good ones")
    ] = 60
    host: Annotated[str, Meta(description="the address of the public port")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="the public port")] = 5001
    private_host: Annotated[str, Meta(description="the address of the private port")] = "127.0.0.1"
    private_port: Annotated[
        Port, Meta(description="/ for people, /livez, /readyz and /metrics; no load balancer should lead to it")
    ] = 9001
    workers: Annotated[
        str,
        Check(_check_workers),
        Meta(description="processes that take requests, or auto: as many as there are processors for this one to use"),
    ] = "1"
    clock_skew_seconds: Annotated[
        int, Meta(ge=0, description="how far ahead of this machine's clock an e-mail may be dated")
    ] = 300
    max_request_bytes: Annotated[
        int,
        Meta(
            ge=1,
            le=MAX_BODY_BYTES,
            description="the longest body that is read, at most 16777216; "
            "less if the queue takes no message of that length",
        ),
    ] = 8 * 1024 * 1024
    header_timeout_seconds: Annotated[Seconds, Meta(description="within which a request's headers must arrive")] = 10
    body_timeout_seconds: Annotated[Seconds, Meta(description="within which its body must arrive")] = 10
    answer_timeout_seconds: Annotated[Seconds, Meta(description="within which a client must take its answer")] = 10
    queue_timeout_seconds: Annotated[
        Seconds, Meta(description="within which the queue must confirm, before the answer is 503")
    ] = 5
    max_waiting: Annotated[Count, Meta(description="e-mails that may wait for the queue; one more is answered 503")] = (
        4096
    )
    max_waiting_bytes: Annotated[
        Count, Meta(description="their bytes; and as much again for requests that are still arriving")
    ] = 64 * 1024 * 1024
    max_connections: Annotated[
        Count, Meta(description="clients' connections; fewer where the limit of open files is lower")
    ] = 10_000
    drain_seconds: Annotated[Seconds, Meta(description="after SIGTERM, for requests under way to be answered")] = 20
    log_level: Annotated[LogLevel, Meta(description="debug (one line per request), info, warning or error")] = "info"
    log_format: Annotated[
        LogFormat, Meta(description="json, console, or auto: readable lines on a terminal, JSON elsewhere")
    ] = "auto"

    def __post_init__(self) -> None:
        if not self.token and not _is_loopback(self.host):
            raise ValueError(
                f"TOKEN: is not set; the default holds on a loopback address only, and HOST is {self.host}."
            )

    @property
    def tokens(self) -> str:
        """The valid tokens, separated by commas."""
        return self.token or _DEFAULT_TOKEN


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
