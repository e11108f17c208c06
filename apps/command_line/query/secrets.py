"""How DuckDB reaches S3: with the endpoint, the region and the credentials that the services would use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checkpoint.archive.port import ArchiveUnavailableError

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Secret:
    """What leads to a bucket. Its credentials are in no error's text: see `taken_out_of`.

    options: of DuckDB's CREATE SECRET (https://duckdb.org/docs/stable/core_extensions/httpfs/s3api).
    """

    options: dict[str, str | bool] = field(repr=False)

    def create(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make it known to a connection, which never shows it again. Raises ArchiveUnavailableError."""
        import duckdb  # noqa: PLC0415  of an extra, and slow to import

        options = ", ".join(f"{name} {_literal(value)}" for name, value in self.options.items())
        try:
            connection.execute(f"CREATE SECRET archive (TYPE s3, {options})")
        except duckdb.Error as error:  # its text repeats the statement
            kind = type(error).__name__
            raise ArchiveUnavailableError(f"DuckDB cannot use the endpoint, region or credentials: {kind}") from None

    def taken_out_of(self, text: str) -> str:
        """A text without the credentials."""
        for name in ("KEY_ID", "SECRET", "SESSION_TOKEN"):
            if value := self.options.get(name):
                text = text.replace(str(value), "…")
        return text


async def secret_of(url: str) -> Secret | None:
    """What leads to the bucket that an archive's URL names; None for a URL of another kind.

    Raises ValueError for a profile or an endpoint that cannot be used; ArchiveUnavailableError without credentials.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3":
        return None
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415  as below

    from checkpoint.archive.s3 import endpoint_of_s3  # noqa: PLC0415  as below
    from checkpoint.aws import region_of, session  # noqa: PLC0415  the SDK is slow to import

    aws = session()
    region = region_of(aws)
    try:
        found = await aws.get_credentials()
        now = await found.get_frozen_credentials() if found else None
    except BotoCoreError as error:  # its text may repeat values
        raise ValueError(f"AWS's credentials cannot be used: {type(error).__name__}.") from None
    if now is None or not now.access_key or not now.secret_key:
        raise ArchiveUnavailableError("no AWS credentials found; set AWS_ACCESS_KEY_ID, a profile or a role")
    options: dict[str, str | bool] = {
        "KEY_ID": now.access_key,
        "SECRET": now.secret_key,
        "SCOPE": f"s3://{parts.netloc}",
    }
    if now.token:
        options["SESSION_TOKEN"] = now.token
    if region:
        options["REGION"] = region
    if endpoint := endpoint_of_s3():
        options |= _at(endpoint)
    return Secret(options)


def _at(endpoint: str) -> dict[str, str | bool]:
    """An endpoint of one's own has the bucket in the path, as in `checkpoint.archive.s3`."""
    parts = urlsplit(endpoint)
    if "@" in parts.netloc:
        raise ValueError("AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL must not hold a user or a password.")
    return {
        "ENDPOINT": f"{parts.netloc}{parts.path.rstrip('/')}",
        "URL_STYLE": "path",
        "USE_SSL": parts.scheme == "https",
    }


def _literal(value: str | bool) -> str:  # noqa: FBT001  a value of SQL
    return str(value).lower() if isinstance(value, bool) else "'" + value.replace("'", "''") + "'"
