"""The archive: each e-mail as exactly one object, by create-only writes alone."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checkpoint.archive.port import ArchiveUnavailableError, LocalStore, ProbedStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.archive.port import ObjectStore
    from checkpoint.email import Email

# About 300 bytes each. They spare an e-mail of the same timestream two or three requests.
_HOLDERS_REMEMBERED: Final = 1_000


class NamesTakenError(Exception):
    """Every name that the e-mail may have holds other bytes: somebody else writes to the archive."""

    def __str__(self) -> str:
        return str(self.__doc__)


@dataclass(frozen=True, slots=True)
class PutResult:
    """Where an e-mail's object is, and whether this put created it or it was already there."""

    name: str
    created: bool


class Archive:
    """Puts e-mails into an object store, whatever is redelivered, retried or killed."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        # Identity of the e-mail under a name, for names lately seen as taken. It only spares requests for names that
        # other e-mails hold: whether this e-mail is archived is always the store's answer.
        self._holders: OrderedDict[str, str] = OrderedDict()

    async def put(self, email: Email) -> PutResult:
        """Return when the e-mail's one object is durable.

        Raises ArchiveUnavailableError (try again; nothing is half done), NamesTakenError, ObjectUnreadableError.
        """
        plain = next(email.names)
        for name in email.names:
            if self._holders.get(name, email.identity) != email.identity:
                continue
            if await self._store.create(name, email.body, sha256=email.identity):
                if name == plain:  # no other e-mail asks for the longer ones
                    self._remember(name, email.identity)
                return PutResult(name, created=True)
            if await self._holds(name, email):
                return PutResult(name, created=False)
        raise NamesTakenError

    def through(self, wrap: Callable[[ObjectStore], ObjectStore]) -> Archive:
        """The same archive, with something around its store."""
        return Archive(wrap(self._store))

    @property
    def local_store(self) -> LocalStore | None:
        """The store, where it is on a local volume."""
        return self._store if isinstance(self._store, LocalStore) else None

    async def probe(self) -> None:
        """Return where the store is available, or cannot tell without a put. Raises ArchiveUnavailableError."""
        if isinstance(self._store, ProbedStore):
            await self._store.probe()

    async def _holds(self, name: str, email: Email) -> bool:
        """Whether a name that is taken holds this e-mail. That it holds another is believed where two looks agree.

        A look that is wrong would make a second object of the e-mail.
        """
        holder = await self._store.holder(name, email.body, sha256=email.identity)
        if holder is None:  # S3 answers a second put "taken" while the first is under way, and the first may fail
            raise ArchiveUnavailableError("an object's name was taken, then free")
        if holder == email.identity:
            return True
        if holder != await self._store.holder(name, email.body, sha256=email.identity):
            raise ArchiveUnavailableError("two looks at an object contradict each other")
        if holder:
            self._remember(name, holder)
        return False

    def _remember(self, name: str, identity: str) -> None:
        self._holders[name] = identity
        self._holders.move_to_end(name)
        if len(self._holders) > _HOLDERS_REMEMBERED:
            self._holders.popitem(last=False)
