"""Opens the archive that a URL names: its scheme picks the store, and only that store and its SDK are imported."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol, cast

from checkpoint.adapters import Registry
from checkpoint.archive.archive import Archive
from checkpoint.archive.port import ListedStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from checkpoint.archive.port import ObjectStore


class StoreAdapter(Protocol):
    """What an object store's adapter, mostly a module, must have.

    Where its `open_store` makes or changes anything, it has `open_listed(url)` besides, which gives a ListedStore as
    the other gives an ObjectStore, and makes and changes nothing.
    For `--check` it has the coroutine `inspect(url)` besides, as `inspect_archive` describes it.
    """

    def open_store(self, url: str) -> AbstractAsyncContextManager[ObjectStore]:
        """The store: opened on entry; on exit it finishes what is under way and closes.

        Raises ValueError, here or on entry, for a URL that it cannot use; the text says how to write one, and never
        repeats what may hold a password. A store that is out of reach is an error of the calls, not of opening.
        """
        ...


ARCHIVES: Final = Registry[StoreAdapter](
    "checkpoint.archives",
    {
        "file": "checkpoint.archive.local_files",
        "s3": "checkpoint.archive.s3",
        "gs": "checkpoint.archive.gcs",
        "az": "checkpoint.archive.azure",
    },
    functions=("open_store",),
)


@asynccontextmanager
async def open_archive(url: str) -> AsyncIterator[Archive]:
    """The archive in the object store at a URL; see `StoreAdapter`.

    url: `file:///absolute/path`, `s3://bucket[/prefix]`, `gs://…`, `az://…`, or what an installed package opens.
    Raises ValueError for any other.
    """
    adapter, url = ARCHIVES.find(url)
    async with adapter.open_store(url) as store:
        yield Archive(store)


@asynccontextmanager
async def open_listed_store(url: str) -> AsyncIterator[ListedStore]:
    """The object store at a URL, to list and to read; see `open_archive`. Nothing is written or made.

    Raises ValueError, too, for a store that cannot list its objects.
    """
    adapter, url = ARCHIVES.find(url)
    opening: Callable[[str], AbstractAsyncContextManager[object]] = getattr(adapter, "open_listed", adapter.open_store)
    async with opening(url) as store:
        if not isinstance(store, ListedStore):
            raise ValueError(  # noqa: TRY004  the URL is at fault, and not a value's type
                "the adapter of this archive cannot list objects, which the command line needs."
            )
        yield store


async def inspect_archive(url: str) -> str:
    """What the broker would find at a URL, in a few words, by its rights alone; nothing is changed.

    Raises ValueError for a URL that cannot be used, ArchiveUnavailableError.
    """
    adapter, url = ARCHIVES.find(url)
    inspecting = getattr(adapter, "inspect", None)
    if inspecting is None:
        return "not asked: its adapter cannot tell without a put"
    return cast("str", await inspecting(url))
