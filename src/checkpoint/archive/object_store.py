"""Objects in any store that obstore knows: S3, and with the same code Google's, Azure's and one in memory."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore as Store

# Every object says its SHA-256 in its metadata (S3: `x-amz-meta-sha256`): to compare it takes no read of its bytes,
# which some storage classes do not give, and no trust in an MD5, for which two e-mails can be made to agree.
_SHA256: Final = "sha256"


class ObstoreObjects:
    """A create-only view of an obstore store; on S3 a put is conditional (`If-None-Match: *`)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(self, name: str, body: bytes, *, sha256: str) -> bool:
        """As ObjectStore says."""
        try:
            await obstore.put_async(
                self._store, name, body, mode="create", use_multipart=False, attributes={_SHA256: sha256}
            )
        except (AlreadyExistsError, PreconditionError, FileExistsError):
            return False
        except (BaseError, OSError) as error:
            raise _unavailable(error) from None
        return True

    async def holder(self, name: str, body: bytes, *, sha256: str) -> str | None:
        """As ObjectStore says. Asks for the object's head; for its bytes only where the head does not tell."""
        try:
            found = await obstore.get_async(self._store, name, options={"head": True})
            said = found.attributes.get(_SHA256)
            if found.meta["size"] == len(body):
                if said == sha256 or (said is None and _etag(found.meta) == _md5(body)):
                    return sha256
                return said or await self._read(name, body, sha256=sha256)
            if said == sha256:
                raise ArchiveUnavailableError("an object's size contradicts its SHA-256")
            return said or await self._other_size(name, body)
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            if "<Code>InvalidObjectState</Code>" in str(error):
                raise ObjectUnreadableError(name, _ARCHIVED_CLASS) from None
            raise _unavailable(error) from None

    async def _read(self, name: str, body: bytes, *, sha256: str) -> str:
        """The SHA-256 of an object as long as the body. Other bytes count where the ETag or a second read agrees.

        An ETag is the MD5 of the bytes for some objects and for others not, and nothing says for which:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
        """
        reads = []
        for _ in range(2):
            found = await obstore.get_async(self._store, name)
            read = bytes(await found.bytes_async())
            if read == body:
                return sha256
            reads.append(read)
            if len(read) == len(body) and _etag(found.meta) == _md5(read):
                break
        if len(reads[0]) != len(body) or reads[0] != reads[-1]:
            raise ArchiveUnavailableError("an object was read with other bytes than it has")
        return hashlib.sha256(reads[0]).hexdigest()

    async def _other_size(self, name: str, body: bytes) -> str:
        """Empty, for other bytes: the second answer of that."""
        found = await obstore.get_async(self._store, name, options={"head": True})
        if found.meta["size"] == len(body):
            raise ArchiveUnavailableError("an object's size changed between two answers")
        return ""


def _etag(meta: ObjectMeta) -> str:
    return (meta["e_tag"] or "").strip('"')


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


_ARCHIVED_CLASS: Final = (
    "is in an archived storage class and its head does not tell its bytes (InvalidObjectState): restore it."
)

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
