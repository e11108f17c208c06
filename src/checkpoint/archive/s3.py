"""How to reach S3: with the region, the endpoint and the credentials that the queue's client would use."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import S3Store

from checkpoint.archive.object_store import ObstoreObjects
from checkpoint.archive.timeouts import RETRIES, client_options
from checkpoint.aws import region_of, session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from obstore.store import S3Config, S3Credential

# botocore renews credentials that have less than 10 minutes left, so what it gives is good for longer than this.
_CREDENTIALS_LAST: Final = timedelta(minutes=8)


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[ObstoreObjects]:
    """The bucket at `s3://bucket[/prefix]`; nothing is asked of it yet. Raises ValueError for what is no such URL."""
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html: a directory bucket lists in no order, and
    # not from a name on. https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html
    yield ObstoreObjects(_store(url), is_ordered=not urlsplit(url).netloc.endswith("--x-s3"))


async def inspect(url: str) -> str:
    """Whether it answers: see `inspect_archive`."""
    return await ObstoreObjects(_store(url)).inspect()


def endpoint_of_s3() -> str | None:
    """The endpoint that AWS's variables name; None for AWS itself.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    Raises ValueError for what is no URL: obstore would panic.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    try:
        parts = urlsplit(endpoint or "")
        is_usable = not endpoint or (parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ValueError("AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is not the URL of an endpoint.")
    return endpoint


def _store(url: str) -> S3Store:
    if not urlsplit(url).netloc or urlsplit(url).query:
        raise ValueError("must be s3://bucket or s3://bucket/prefix.")
    aws = session()
    endpoint = endpoint_of_s3()
    config: S3Config = {}
    if region := region_of(aws):
        config["region"] = region
    if endpoint:
        config["endpoint"] = endpoint

    async def credentials() -> S3Credential:
        found = await aws.get_credentials()
        now = await found.get_frozen_credentials() if found else None
        if now is None or not now.access_key or not now.secret_key:
            raise OSError("no AWS credentials found; set AWS_ACCESS_KEY_ID, a profile or a role")
        return {
            "access_key_id": now.access_key,
            "secret_access_key": now.secret_key,
            "token": now.token,
            "expires_at": datetime.now(UTC) + _CREDENTIALS_LAST,
        }

    try:
        return S3Store.from_url(
            url,
            config=config,
            client_options=client_options(endpoint),
            retry_config=RETRIES,
            credential_provider=credentials,
        )
    except (BaseError, ValueError) as error:
        raise ValueError(
            f"cannot be used: {type(error).__name__}; it must be s3://bucket or s3://bucket/prefix."
        ) from None
