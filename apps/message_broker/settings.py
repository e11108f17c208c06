"""The broker's settings, each from the environment variable of its name, with its meaning."""

from typing import Annotated

import msgspec
from msgspec import Meta

from checkpoint.archive.adapters import ARCHIVES
from checkpoint.archive.directory import default_directory
from checkpoint.message_queue.adapters import QUEUES
from checkpoint.settings import Check, Count, LogFormat, LogLevel, Port, Seconds, Settings


class BrokerSettings(Settings, frozen=True, kw_only=True):
    """All times are in seconds, all sizes in bytes."""

    queue_url: Annotated[
        str,
        Check(QUEUES.check),
        Meta(description="the queue: sqlite:///relative.db, sqlite:////absolute.db, or an SQS queue's URL"),
    ] = "sqlite:///data/queue.db"
    archive_url: Annotated[
        str,
        Check(ARCHIVES.check),
        Meta(
            description="the archive: file:///absolute/path, s3://bucket[/prefix], gs://… or az://…",
            extra={"default": "file:///…/data/archive below the current directory"},
        ),
    ] = msgspec.field(default_factory=lambda: default_directory().as_uri())
    # SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
    wait_seconds: Annotated[
        int, Meta(ge=0, le=20, description="how long a receive waits for messages (long polling), 0 to 20")
    ] = 20
    visibility_seconds: Annotated[
        int,
        Meta(
            ge=3,
            le=43_200,
            description="the visibility timeout of received messages, 3 to 43200; "
            "renewed while the broker works on them",
        ),
    ] = 30
    slots: Annotated[Count, Meta(description="messages that are worked on at once")] = 256
    max_in_flight_bytes: Annotated[
        Count,
        Meta(description="the most bytes that these messages may have together; a single receive may always be made"),
    ] = 64 * 1024 * 1024
    grace_seconds: Annotated[
        Seconds, Meta(description="time after SIGTERM to finish messages in flight; 5 more to release the rest")
    ] = 20
    private_host: Annotated[str, Meta(description="the address of the private port")] = "127.0.0.1"
    private_port: Annotated[Port, Meta(description="/ for people, /livez, /readyz and /metrics")] = 9002
    log_level: Annotated[LogLevel, Meta(description="debug (one line per message), info, warning or error")] = "info"
    log_format: Annotated[
        LogFormat, Meta(description="json, console, or auto: readable lines on a terminal, JSON elsewhere")
    ] = "auto"
