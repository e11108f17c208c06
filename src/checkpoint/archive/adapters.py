"""The URL picks the object store."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from checkpoint.archive.archive import Archive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_SCHEMES: Final = ("file", "s3", "gs", "az", "memory")


@asynccontextmanager
async def open_archive(url: str) -> AsyncIterator[Archive]:
    """Open the archive at `file:///absolute/path`, `s3://bucket[/prefix]`, `gs://…`, `az://…` or `memory:///`.

    Raises ValueError for another URL, and for a directory that cannot be made.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"ARCHIVE_URL: the scheme must be one of {', '.join(_SCHEMES)}.")
    # One adapter a branch: a service imports only the SDK that its URL needs.
    if parts.scheme == "file":
        from checkpoint.archive.local_files import open_local_files  # noqa: PLC0415

        if parts.netloc or not parts.path.startswith("/"):
            raise ValueError("ARCHIVE_URL: a file: URL has three slashes and an absolute path: file:///srv/archive.")
        async with open_local_files(Path(unquote(parts.path))) as files:
            yield Archive(files)
    elif parts.scheme == "s3":
        from checkpoint.archive.object_store import ObstoreObjects  # noqa: PLC0415
        from checkpoint.archive.s3 import open_s3  # noqa: PLC0415

        yield Archive(ObstoreObjects(open_s3(url)))
    elif parts.scheme == "gs":
        from checkpoint.archive.gcs import open_gcs  # noqa: PLC0415
        from checkpoint.archive.object_store import ObstoreObjects  # noqa: PLC0415

        yield Archive(ObstoreObjects(open_gcs(url)))
    elif parts.scheme == "az":
        from checkpoint.archive.azure import open_azure  # noqa: PLC0415
        from checkpoint.archive.object_store import ObstoreObjects  # noqa: PLC0415

        yield Archive(ObstoreObjects(open_azure(url)))
    else:
        from obstore.exceptions import BaseError  # noqa: PLC0415
        from obstore.store import from_url  # noqa: PLC0415

        from checkpoint.archive.object_store import ObstoreObjects  # noqa: PLC0415

        try:
            store = from_url(url)
        except (BaseError, ValueError) as error:
            raise ValueError(f"ARCHIVE_URL: cannot be used: {type(error).__name__}.") from None
        yield Archive(ObstoreObjects(store))
