"""Clients for AWS, configured by AWS's own variables, which mean here what they mean everywhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, overload

from aiobotocore.session import AioSession

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from aiobotocore.config import AioConfig
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_ssm import SSMClient


def session() -> AioSession:
    """A session that reads `AWS_REGION` too: botocore by itself knows only `AWS_DEFAULT_REGION`.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    """
    aws = AioSession()
    region = os.environ.get("AWS_REGION")
    if region:
        aws.set_config_variable("region", region)
    return aws


@overload
def open_client(
    service: Literal["sqs"], *, config: AioConfig, region: str | None = None, endpoint_url: str | None = None
) -> AbstractAsyncContextManager[SQSClient]: ...
@overload
def open_client(
    service: Literal["ssm"], *, config: AioConfig, region: str | None = None, endpoint_url: str | None = None
) -> AbstractAsyncContextManager[SSMClient]: ...
def open_client(
    service: Literal["sqs", "ssm"], *, config: AioConfig, region: str | None = None, endpoint_url: str | None = None
) -> AbstractAsyncContextManager[SQSClient] | AbstractAsyncContextManager[SSMClient]:
    """Open a client on entry, close it on exit.

    region: of the resource that the client is for, where its URL names one; a request signed for another is refused.
    endpoint_url: what to use where AWS's variables name none.
    Raises ValueError where no region is named anywhere.
    """
    aws = session()
    if region:
        aws.set_config_variable("region", region)
    if not aws.get_config_variable("region"):
        raise ValueError("AWS_REGION: is not set, and neither a profile nor QUEUE_URL names a region.")
    if os.environ.get("AWS_ENDPOINT_URL") or os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}"):
        endpoint_url = None
    return aws.create_client(service, endpoint_url=endpoint_url, config=config)
