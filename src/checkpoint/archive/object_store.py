"""Objects in a store that obstore knows: S3, and with the same code Google's, Azure's and one in memory."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError, StoredObject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from obstore import GetResult, ObjectMeta, PutResult
    from obstore.store import ObjectStore as Store

# Every object says its SHA-256 in its metadata (S3: `x-amz-meta-sha256`, Google: `x-goog-meta-sha256`, Azure:
# `x-ms-meta-sha256`): to compare it takes no read of its bytes, which some storage classes do not give, and no trust in
# an MD5, for which two e-mails can be made to agree.
_SHA256: Final = "sha256"
# An ETag of this form is the MD5 of the bytes where they are encrypted with the store's own keys or not at all; where a
# key of KMS or of the customer is used, it is another hash of the same form. That of a multipart upload has a "-".
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
_MD5: Final = re.compile("[0-9a-f]{32}")
# As many as S3 lists per call: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
_PAGE: Final = 1_000
_NO_OBJECT: Final = "no_object_of_an_archive"


class ObstoreObjects:
    """A create-only view of an obstore store.

    A put is conditional: `If-None-Match: *` on S3 and Azure, `x-goog-if-generation-match: 0` on Google Cloud Storage.

    is_ordered: whether it lists names in the order of their characters, and from one on.
    """

    def __init__(self, store: Store, *, is_ordered: bool = True) -> None:
        self._store = store
        self._is_ordered = is_ordered

    async def create(self, name: str, body: bytes, *, sha256: str) -> bool:
        """As ObjectStore says."""
        try:
            put = await obstore.put_async(
                self._store, name, body, mode="create", use_multipart=False, attributes={_SHA256: sha256}
            )
        except (AlreadyExistsError, PreconditionError, FileExistsError) as error:
            if _code(error).startswith(_NOT_THE_OBJECTS):
                raise _unavailable(error) from None
            return False
        except (BaseError, OSError) as error:
            raise _unavailable(error) from None
        # Whatever answers 200 with an ETag, a captive portal for one, is a success to obstore. Only who has the bytes
        # knows their MD5; where the ETag is another, by encryption or on Azure, the object itself must tell.
        if _etag(put) != _md5(body) and await self.holder(name, body, sha256=sha256) != sha256:
            raise ArchiveUnavailableError("a put was answered with success, and its object is not there")
        return True

    async def holder(self, name: str, body: bytes, *, sha256: str) -> str | None:
        """As ObjectStore says. Asks for the object's head; for its bytes only where the head does not tell."""
        try:
            head = await obstore.get_async(self._store, name, options={"head": True})
            stored_sha256 = head.attributes.get(_SHA256)
            if stored_sha256 is None and not _is_of_an_object(head):
                raise ArchiveUnavailableError("an answer is not about an object")
            if head.meta["size"] != len(body):
                if stored_sha256 == sha256:
                    raise ArchiveUnavailableError("an object's size contradicts its SHA-256")
                return stored_sha256 or ""
            # An ETag is the MD5 of the bytes for some objects and for others not, and nothing says for which:
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
            if stored_sha256 is None and _etag(head.meta) == _md5(body):
                return sha256
            return stored_sha256 or await self._read(name, len(body))
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            if (code := _code(error)) in _ARCHIVED:
                raise ObjectUnreadableError(name, _ARCHIVED_CLASS.format(code)) from None
            raise _unavailable(error) from None

    async def inspect(self) -> str:
        """What the store says of an object that is not there. Raises ArchiveUnavailableError.

        To read needs no right that the broker has not. S3 tells that an object is missing only to who may list, which
        the broker may not: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        try:
            await obstore.get_async(self._store, _NO_OBJECT)
        except (BaseError, OSError) as error:
            code = _code(error)
            if isinstance(error, FileNotFoundError) and code not in _NO_BUCKET:
                return "the store answers; whether objects can be put, the first one shows"
            if code == "AccessDenied":
                return "the store answers, but not to who may not list; whether objects can be put, the first one shows"
            raise _unavailable(error) from None
        raise ArchiveUnavailableError("an answer is not about an object")

    async def objects(self, prefix: str = "") -> AsyncIterator[Sequence[StoredObject]]:
        """As ListedStore says. What has a slash in its name, after the archive's own prefix, is none of its objects.

        obstore knows no prefix but a whole folder. So it lists from the prefix on, and ends where the names have passed
        it. Azure cannot list from a name on: there obstore lists, and passes over, what comes before.
        """
        first = _before(prefix) if self._is_ordered else None
        try:
            async for page in obstore.list(self._store, offset=first, chunk_size=_PAGE):
                found = [_stored(meta) for meta in page if meta["path"].startswith(prefix) and "/" not in meta["path"]]
                if found:
                    yield found
                if self._is_ordered and page[-1]["path"] > prefix and not page[-1]["path"].startswith(prefix):
                    return
        except (BaseError, OSError) as error:
            raise _unavailable(error) from None
        # Whatever answers 200, a captive portal for one, ends a listing to obstore. A name that nothing has tells them
        # apart: a store answers 404.
        await self.read(_NO_OBJECT)

    async def read(self, name: str) -> bytes | None:
        """As ListedStore says."""
        if not name or "/" in name:
            return None
        try:
            found = await obstore.get_async(self._store, name)
            if not _is_of_an_object(found):
                raise ArchiveUnavailableError("an answer is not about an object")
            read = bytes(await found.bytes_async())
        except (BaseError, OSError) as error:
            code = _code(error)
            if isinstance(error, FileNotFoundError) and code not in _NO_BUCKET:
                return None
            if code in _ARCHIVED:
                raise ObjectUnreadableError(name, _CANNOT_BE_READ.format(code)) from None
            raise _unavailable(error) from None
        except ValueError:  # a name that no object can have
            return None
        if len(read) != found.meta["size"]:
            raise ArchiveUnavailableError(_OTHER_LENGTH)
        return read

    async def _read(self, name: str, length: int) -> str:
        """The SHA-256 of an object's bytes."""
        found = await obstore.get_async(self._store, name)
        read = bytes(await found.bytes_async())
        if len(read) != length:
            raise ArchiveUnavailableError(_OTHER_LENGTH)
        return hashlib.sha256(read).hexdigest()


def _stored(meta: ObjectMeta) -> StoredObject:
    etag = _etag(meta)
    return StoredObject(meta["path"], meta["size"], etag if _MD5.fullmatch(etag) else None)


def _before(prefix: str) -> str | None:
    """A name that comes before all that begin so, and after most others that do."""
    return f"{prefix[:-1]}{chr(ord(prefix[-1]) - 1)}~" if prefix else None


def _is_of_an_object(head: GetResult) -> bool:
    """Whether an answer of 200 has what every store tells of an object; without a date, obstore gives 1970.

    A page with an ETag and a date is told by its type: an e-mail's object has none of text.
    """
    has_date = head.meta["last_modified"].timestamp() > 0
    return bool(head.meta["e_tag"]) and has_date and not _content_type(head).startswith("text/html")


def _content_type(head: GetResult) -> str:
    return str(head.attributes.get("Content-Type", "")).lower()


def _etag(meta: ObjectMeta | PutResult) -> str:
    return (meta["e_tag"] or "").strip('"')


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


# S3: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
# Azure: https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-error-codes
_ARCHIVED: Final = {"InvalidObjectState", "BlobArchived", "BlobBeingRehydrated"}
_ARCHIVED_CLASS: Final = (
    "is in an archived storage class, and neither its metadata nor its ETag tells what it holds ({}): restore it."
)
_CANNOT_BE_READ: Final = "is in an archived storage class ({}): restore it."
_OTHER_LENGTH: Final = "an object was read with another length than it has"
_NO_BUCKET: Final = {"NoSuchBucket", "ContainerNotFound"}
# How Azure's codes begin for a 409 that is not about the object: ContainerBeingDeleted, AccountBeingCreated.
_NOT_THE_OBJECTS: Final = ("Container", "Account")

# What obstore's texts tell beyond a status and a code, in words of ours.
_HINTS: Final = {
    "incorrectly configured region": "the bucket is in another region: set AWS_REGION",
    "no AWS credentials found": "no AWS credentials found",
    "token request": "no access token",
    "federated token file": "the federated token file cannot be read",
    "kind: Timeout": "timed out",
    "operation timed out": "timed out",
    "error sending request": "no connection",
}


def _code(error: Exception) -> str:
    """The store's own code for an error; empty where it gave none."""
    found = re.search(r"<Code>(\w+)</Code>", str(error))
    return found[1] if found else ""


def _unavailable(error: Exception) -> ArchiveUnavailableError:
    """Only the error's kind and the store's own code: its full text repeats requests and whole answers."""
    status = re.search(r"status code: (\d{3})", str(error))
    hint = next((words for text, words in _HINTS.items() if text in str(error)), "")
    causes = [type(error).__name__, status[1] if status else "", _code(error), hint]
    code = _code(error) or (f"http_{status[1]}" if status else type(error).__name__)
    return ArchiveUnavailableError(" ".join(cause for cause in causes if cause), code=code)
