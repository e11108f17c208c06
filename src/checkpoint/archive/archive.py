"""The archive: each e-mail as exactly one object, by create-only writes and nothing remembered."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.email import MAX_BODY_BYTES

if TYPE_CHECKING:
    from checkpoint.archive.port import ObjectStore
    from checkpoint.email import Email

_HOLDERS_REMEMBERED: Final = 10_000


class NamesTakenError(Exception):
    """Every name that the e-mail may have holds other bytes: somebody else writes to the archive."""

    def __str__(self) -> str:
        return str(self.__doc__)


@dataclass(frozen=True, slots=True)
class PutResult:
    """Where an e-mail's object is, and whether this call made it."""

    name: str
    created: bool


class Archive:
    """Keeps e-mails in an object store, whatever is redelivered, retried or killed."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        # Identity of the e-mail under a name, for names lately seen as taken. It only spares requests for names that
        # other e-mails hold: whether this e-mail is kept is always the store's answer.
        self._holders: OrderedDict[str, str] = OrderedDict()

    async def put(self, email: Email) -> PutResult:
        """Return when the e-mail's one object is durable.

        Raises ArchiveUnavailableError (try again; nothing is half done), NamesTakenError.
        """
        for name in email.names:
            if self._holders.get(name, email.identity) != email.identity:
                continue
            if await self._store.create(name, email.body):
                self._remember(name, email.identity)
                return PutResult(name, created=True)
            held = await self._store.read(name, at_most=MAX_BODY_BYTES)
            if held is None:  # S3 answers a second put "taken" while the first is under way, and the first may fail
                raise ArchiveUnavailableError("an object's name was taken, then free")
            if held == email.body:
                return PutResult(name, created=False)
            self._remember(name, hashlib.sha256(held).hexdigest())
        raise NamesTakenError

    def _remember(self, name: str, identity: str) -> None:
        self._holders[name] = identity
        self._holders.move_to_end(name)
        if len(self._holders) > _HOLDERS_REMEMBERED:
            self._holders.popitem(last=False)
