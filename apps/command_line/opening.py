"""Opens what the settings name, so that a URL which cannot be used is a fault of its setting."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from checkpoint.archive.adapters import open_listed_store
from checkpoint.message_queue.adapters import open_admin
from checkpoint.settings import convert_to_settings_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from checkpoint.archive.port import ListedStore
    from checkpoint.message_queue.admin import AdminQueue
    from command_line.settings import CommandLineSettings


@asynccontextmanager
async def open_queue(settings: CommandLineSettings) -> AsyncIterator[AdminQueue]:
    """The operator's part of the queue. Raises SettingsError, on entry, for a URL that cannot be used."""
    async with AsyncExitStack() as opened:
        with convert_to_settings_error("QUEUE_URL"):
            queue = await opened.enter_async_context(open_admin(settings.queue_url))
        yield queue


@asynccontextmanager
async def open_archive(settings: CommandLineSettings) -> AsyncIterator[ListedStore]:
    """The archive, to list and to read. Raises SettingsError, on entry, for a URL that cannot be used."""
    async with AsyncExitStack() as opened:
        with convert_to_settings_error("ARCHIVE_URL"):
            store = await opened.enter_async_context(open_listed_store(settings.archive_url))
        yield store
