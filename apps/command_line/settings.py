"""The command line's settings, from the environment: those that the services have too, and where the services are."""

from typing import Annotated

import msgspec
from msgspec import Meta

from checkpoint.archive.adapters import ARCHIVES
from checkpoint.archive.directory import default_directory
from checkpoint.message_queue.adapters import QUEUES
from checkpoint.settings import MAY_BE_EMPTY, Check, Settings


class CommandLineSettings(Settings, frozen=True, kw_only=True):
    """They mean what they mean to the services."""

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
    token: Annotated[str, Meta(description="the token to post with; of several, the first")] = "foobar"  # noqa: S105  the intake takes it on a loopback address only
    intake_url: Annotated[str, Meta(description="the public port of the intake")] = "http://127.0.0.1:5001"
    intake_private_url: Annotated[
        str, MAY_BE_EMPTY, Meta(description="the private port of the intake; empty where there is none to reach")
    ] = "http://127.0.0.1:9001"
    broker_private_url: Annotated[
        str, MAY_BE_EMPTY, Meta(description="the private port of the broker; empty where there is none to reach")
    ] = "http://127.0.0.1:9002"
