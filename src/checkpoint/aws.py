"""Clients for AWS, configured by AWS's own environment variables, with the meaning that they have everywhere."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Literal, TypeVar, cast, overload

from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ProfileNotFound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from aiobotocore.config import AioConfig
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_ssm import SSMClient


Client = TypeVar("Client")


def session() -> AioSession:
    """A session that reads `AWS_REGION` too: botocore by itself knows only `AWS_DEFAULT_REGION`.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    """
    aws = AioSession()
    region = os.environ.get("AWS_REGION")
    if region:
        aws.set_config_variable("region", region)
    return aws


def region_of(aws: AioSession) -> str | None:
    """The session's region, None where none is named. Raises ValueError for a profile that does not exist."""
    try:
        region: str | None = aws.get_config_variable("region")
    except ProfileNotFound:
        raise ValueError("AWS_PROFILE names no profile of AWS's configuration files.") from None
    return region


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
    Raises ValueError, on entry too, where no region is named anywhere, or a profile or an endpoint cannot be used.
    """
    aws = session()
    if region:
        aws.set_config_variable("region", region)
    if not region_of(aws):
        raise ValueError("no region is named; set AWS_REGION.")
    variables = ("AWS_ENDPOINT_URL", f"AWS_ENDPOINT_URL_{service.upper()}")
    if any(os.environ.get(name) for name in variables):
        endpoint_url = None
    at_fault = "" if endpoint_url else f"{' or '.join(variables)} "
    client = _named_errors(aws.create_client(service, endpoint_url=endpoint_url, config=config), at_fault)
    return cast("AbstractAsyncContextManager[SQSClient] | AbstractAsyncContextManager[SSMClient]", client)


@asynccontextmanager
async def _named_errors(opening: AbstractAsyncContextManager[Client], at_fault: str) -> AsyncIterator[Client]:
    """Replace the SDK's own errors, which name no setting and repeat an endpoint's password.

    at_fault: the variable that names the endpoint, with a space after it; empty where the caller's URL does.
    """
    async with AsyncExitStack() as opened:
        try:
            client = await opened.enter_async_context(opening)
        except BotoCoreError as error:
            raise ValueError(f"AWS's settings cannot be used: {type(error).__name__}.") from None
        except ValueError:
            raise ValueError(f"{at_fault}is not the URL of an endpoint.") from None
        yield client
