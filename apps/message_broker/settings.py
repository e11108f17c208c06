"""The broker's settings, each from the environment variable of its name."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from checkpoint.archive.adapters import ARCHIVES
from checkpoint.message_queue.adapters import QUEUES
from checkpoint.operations.telemetry import LogFormat, LogLevel
from checkpoint.settings import Check, Count, Port, Seconds, Settings


class BrokerSettings(Settings, frozen=True, kw_only=True):
    """All times are in seconds, all sizes in bytes."""

    queue_url: Annotated[str, Check(QUEUES.check)] = "sqlite:///data/queue.db"
    archive_url: Annotated[str, Check(ARCHIVES.check)] = msgspec.field(
        default_factory=lambda: Path("data/archive").absolute().as_uri()
    )
    # SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
    wait_seconds: Annotated[int, Meta(ge=0, le=20)] = 20
    visibility_seconds: Annotated[int, Meta(ge=3, le=43_200)] = 30
    slots: Count = 256
    max_in_flight_bytes: Count = 64 * 1024 * 1024
    grace_seconds: Seconds = 20
    private_host: str = "127.0.0.1"
    private_port: Port = 9002
    log_level: LogLevel = "info"
    log_format: LogFormat = "auto"
