"""How to reach Google Cloud Storage, with the environment variables that obstore reads.

https://developmentseed.org/obstore/latest/api/store/gcs/
"""

from __future__ import annotations

import os
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import GCSStore

from checkpoint.archive.object_store import ObstoreObjects
from checkpoint.archive.timeouts import RETRIES, client_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# https://cloud.google.com/storage/docs/buckets#naming
_BUCKET: Final = re.compile(r"[a-z0-9._-]{3,222}")

# What obstore's texts tell, in words of ours: its own may repeat what a credentials file holds.
_REASONS: Final = {
    "Unable to open service account file": "the credentials file cannot be opened",
    "Unable to decode service account file": "the credentials are no service account's key and no authorized user's",
    "Error reading pem file": "the private key in the credentials cannot be read",
    "One of service account path": "set GOOGLE_SERVICE_ACCOUNT or GOOGLE_SERVICE_ACCOUNT_KEY, not both",
}


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[ObstoreObjects]:
    """The bucket at `gs://bucket[/prefix]`; nothing is asked of it yet.

    Raises ValueError for what is no such URL, and for credentials and a GOOGLE_BASE_URL that cannot be used.
    """
    yield ObstoreObjects(_store(url))


async def inspect(url: str) -> str:
    """Whether it answers: see `inspect_archive`."""
    return await ObstoreObjects(_store(url)).inspect()


def _store(url: str) -> GCSStore:
    parts = urlsplit(url)
    if not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise ValueError("must be gs://bucket or gs://bucket/prefix.")
    base_url = os.environ.get("GOOGLE_BASE_URL")
    if base_url is not None and not base_url.startswith(("https://", "http://")):
        raise ValueError("GOOGLE_BASE_URL must begin with https:// or http://.")
    try:
        return GCSStore.from_url(url, client_options=client_options(base_url), retry_config=RETRIES)
    except (BaseError, ValueError) as error:
        reason = next((words for text, words in _REASONS.items() if text in str(error)), type(error).__name__)
        raise ValueError(f"Google Cloud Storage cannot be used: {reason}.") from None
