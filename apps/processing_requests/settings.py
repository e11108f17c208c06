"""The intake's settings, each from the environment variable of its name."""

import ipaddress
from typing import Annotated, Final

from msgspec import Meta

from checkpoint.email import MAX_BODY_BYTES
from checkpoint.message_queue.adapters import QUEUES
from checkpoint.operations.telemetry import LogFormat, LogLevel
from checkpoint.settings import Check, Count, Port, Seconds, Settings

_DEFAULT_TOKEN: Final = "foobar"  # noqa: S105  for a first try: refused on any but a loopback address


class IntakeSettings(Settings, frozen=True, kw_only=True):
    """All times are in seconds, all sizes in bytes."""

    queue_url: Annotated[str, Check(QUEUES.check)] = "sqlite:///data/queue.db"
    token: str = ""
    token_refresh_seconds: Seconds = 60
    host: str = "127.0.0.1"
    port: Port = 5001
    private_host: str = "127.0.0.1"
    private_port: Port = 9001
    clock_skew_seconds: Annotated[int, Meta(ge=0)] = 300
    max_request_bytes: Annotated[int, Meta(ge=1, le=MAX_BODY_BYTES)] = 8 * 1024 * 1024
    header_timeout_seconds: Seconds = 10
    body_timeout_seconds: Seconds = 10
    queue_timeout_seconds: Seconds = 5
    max_waiting: Count = 4096
    max_waiting_bytes: Count = 64 * 1024 * 1024
    drain_seconds: Seconds = 20
    log_level: LogLevel = "info"
    log_format: LogFormat = "auto"

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
