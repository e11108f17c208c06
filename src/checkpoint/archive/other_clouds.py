"""How to reach Google's and Azure's object stores: with the variables that obstore reads."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import from_url

from checkpoint.archive.object_store import ObstoreObjects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[ObstoreObjects]:
    """The bucket at `gs://bucket[/prefix]`, or the container at `az://container[/prefix]`; nothing is asked of it yet.

    Raises ValueError for what is no such URL.
    """
    try:
        store = from_url(url)
    except (BaseError, ValueError) as error:
        raise ValueError(f"cannot be used: {type(error).__name__}.") from None
    yield ObstoreObjects(store)
