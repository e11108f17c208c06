"""Reads values from the Parameter Store of AWS Systems Manager (SSM)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
_NAMES_PER_CALL: Final = 10


class ParametersUnavailableError(Exception):
    """Parameter Store could not be asked, or did not answer; the text is the cause or its code, never a value."""


async def fetch(names: Sequence[str]) -> Mapping[str, str]:
    """The values of the named parameters, decrypted; one that does not exist is left out.

    Raises ParametersUnavailableError.
    """
    # Imported here because on one machine nothing refers to a parameter, and importing the SDK takes 0.2 s and 37 MiB.
    from aiobotocore.config import AioConfig  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from checkpoint.aws import open_client  # noqa: PLC0415

    config = AioConfig(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    values: dict[str, str] = {}
    try:
        async with open_client("ssm", config=config) as client:
            for start in range(0, len(names), _NAMES_PER_CALL):
                answer = await client.get_parameters(
                    Names=list(names[start : start + _NAMES_PER_CALL]), WithDecryption=True
                )
                for each in answer["Parameters"]:  # a name may have been asked for with its version, or as an ARN
                    values[each["Name"] + each.get("Selector", "")] = values[each["ARN"]] = each["Value"]
    except ValueError as error:  # AWS's variables cannot be used
        raise ParametersUnavailableError(f"GetParameters: {error}") from None
    except ClientError as error:
        raise ParametersUnavailableError(f"GetParameters: {error.response['Error']['Code']}") from None
    except (BotoCoreError, KeyError, OSError) as error:
        raise ParametersUnavailableError(f"GetParameters: {type(error).__name__}") from None
    return values
