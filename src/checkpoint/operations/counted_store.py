"""An object store, with what is counted of its calls around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checkpoint.archive.port import ProbedStore

if TYPE_CHECKING:
    from checkpoint.archive.port import ObjectStore
    from checkpoint.operations.calls import Calls

OPERATIONS: Final = ("create", "holder", "probe")


class CountedStore:
    """A store. calls: of the archive, with OPERATIONS."""

    def __init__(self, store: ObjectStore, calls: Calls) -> None:
        self._store = store
        self._calls = calls

    async def create(self, name: str, body: bytes, *, sha256: str) -> bool:
        """As ObjectStore says."""
        calls = self._calls
        began = calls.began()
        try:
            created = await self._store.create(name, body, sha256=sha256)
        except Exception as error:
            calls.failed("create", began, error)
            raise
        calls.succeeded("create", began)
        return created

    async def holder(self, name: str, body: bytes, *, sha256: str) -> str | None:
        """As ObjectStore says."""
        with self._calls.call("holder"):
            return await self._store.holder(name, body, sha256=sha256)

    async def probe(self) -> None:
        """As ProbedStore says; where the store is none, it is available for all that is known."""
        if isinstance(self._store, ProbedStore):
            with self._calls.call("probe"):
                await self._store.probe()
