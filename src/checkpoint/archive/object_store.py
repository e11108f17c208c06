"""Objects in any store that obstore knows: S3, and with the same code Google's, Azure's and one in memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from checkpoint.archive.port import ArchiveUnavailableError

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Store


class ObstoreObjects:
    """A create-only view of an obstore store; on S3 a put is conditional (`If-None-Match: *`)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(self, name: str, body: bytes) -> bool:
        """As ObjectStore says."""
        try:
            await obstore.put_async(self._store, name, body, mode="create", use_multipart=False)
        except (AlreadyExistsError, PreconditionError, FileExistsError):
            return False
        except (BaseError, OSError) as error:
            raise _unavailable(error) from None
        return True

    async def read(self, name: str, *, at_most: int) -> bytes | None:
        """As ObjectStore says."""
        try:
            found = await obstore.get_async(self._store, name)
            return bytes(await found.bytes_async()) if found.meta["size"] <= at_most else b""
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise _unavailable(error) from None


# What obstore's texts tell beyond a status and a code, in words of ours.
_HINTS: Final = {
    "incorrectly configured region": "the bucket is in another region: set AWS_REGION",
    "no AWS credentials found": "no AWS credentials found",
    "operation timed out": "timed out",
    "error sending request": "no connection",
}


def _unavailable(error: Exception) -> ArchiveUnavailableError:
    """Only the error's kind and the store's own code: its full text repeats requests and whole answers."""
    code = re.search(r"<Code>(\w+)</Code>", str(error))
    status = re.search(r"status code: (\d{3})", str(error))
    hint = next((words for text, words in _HINTS.items() if text in str(error)), None)
    causes = [type(error).__name__, *(found[1] for found in (status, code) if found), *([hint] if hint else [])]
    return ArchiveUnavailableError(" ".join(causes))
