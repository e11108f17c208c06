"""How to reach Azure Blob Storage, with the environment variables that obstore reads.

https://developmentseed.org/obstore/latest/api/store/azure/
"""

from __future__ import annotations

import os
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore

from checkpoint.archive.object_store import ObstoreObjects
from checkpoint.archive.timeouts import RETRIES, client_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# https://learn.microsoft.com/en-us/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
_CONTAINER: Final = re.compile("[a-z0-9-]{3,63}")

# What obstore's texts tell, in words of ours: its own repeat values.
_REASONS: Final = {
    "Account must be specified": "AZURE_STORAGE_ACCOUNT_NAME is not set",
    "Invalid Access Key": "AZURE_STORAGE_ACCOUNT_KEY is not Base64",
    "in SAS query pair": "AZURE_STORAGE_SAS_TOKEN is no shared access signature",
    "Unknown credential type": "AZURE_CREDENTIAL_TYPE names no type that there is",
    "required configuration is missing": "the variables that AZURE_CREDENTIAL_TYPE asks for are not all set",
}


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[ObstoreObjects]:
    """The container at `az://container[/prefix]`; nothing is asked of it yet.

    Raises ValueError for what is no such URL, and for an account, credentials and an endpoint that cannot be used.
    """
    yield ObstoreObjects(_store(url))


async def inspect(url: str) -> str:
    """Whether it answers: see `inspect_archive`."""
    return await ObstoreObjects(_store(url)).inspect()


def _store(url: str) -> AzureStore:
    parts = urlsplit(url)
    if not _CONTAINER.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise ValueError("must be az://container or az://container/prefix.")
    endpoint = os.environ.get("AZURE_STORAGE_ENDPOINT", os.environ.get("AZURE_ENDPOINT"))
    if endpoint is not None and not endpoint.startswith(("https://", "http://")):
        raise ValueError("AZURE_STORAGE_ENDPOINT must begin with https:// or http://.")
    try:
        return AzureStore.from_url(url, client_options=client_options(endpoint), retry_config=RETRIES)
    except (BaseError, ValueError) as error:
        reason = next((words for text, words in _REASONS.items() if text in str(error)), type(error).__name__)
        raise ValueError(f"Azure Blob Storage cannot be used: {reason}.") from None
