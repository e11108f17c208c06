"""The archive as a table of DuckDB: nothing else can be read, and nothing is written but an export."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import duckdb

from checkpoint.archive.port import ArchiveUnavailableError
from command_line.running import CommandError, ExitCode
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from command_line.query.secrets import Secret

# Nothing is downloaded, no variable of this program is a table, and no secret is read from the user's home.
# https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
_CONFIGURATION: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
}
EXTRA: Final = "'checkpoint-emails[query]'"  # what pip installs

# As many objects as are read at once. Requests to S3 wait for an answer; a file is there at once.
_S3_THREADS: Final = 32

# The last second of the year 9999, behind which Python and most readers of Parquet know no dates.
_LAST_SECOND: Final = 253_402_300_799

# `size >= 0` is true; without it, to count objects DuckDB asks for the head of each, though the listing tells all.
# The name has the digits of the timestream however the number is spelled in the object: 16103, 16103.0, 1.6103e4.
_VIEW: Final = r"""
CREATE VIEW emails AS
SELECT
    email ->> '$.email_subject' AS email_subject,
    email ->> '$.email_sender' AS email_sender,
    CASE WHEN email ->> '$.email_timestream' IS NOT NULL
        THEN coalesce(nullif(regexp_extract(object, '^sqs_message_([0-9]+)(_[0-9a-f]+)?\.json$', 1), ''),
                      email ->> '$.email_timestream')
    END AS email_timestream,
    email ->> '$.email_content' AS email_content,
    CASE WHEN TRY_CAST(email_timestream AS BIGINT) BETWEEN 0 AND {last}
        THEN make_timestamp(TRY_CAST(email_timestream AS BIGINT) * 1000000)
    END AS sent,
    object,
    size
FROM (
    SELECT parse_filename(filename) AS object, size, TRY_CAST(TRY(decode(content)) AS JSON) AS email
    FROM read_blob({objects}) WHERE size >= 0
)
"""


class ArchiveTable:
    """A connection with the table `emails`, and no other.

    on_rows: called, maybe again and again, when rows of a query are there, and before they are given.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, secret: Secret | None) -> None:
        self._connection = connection
        self._secret = secret
        self.on_rows: Callable[[], None] = lambda: None

    def lines(self, query: str) -> tuple[list[str], Iterator[tuple[str | None, ...]]]:
        """The names of a query's columns, and its rows, each value as DuckDB writes it, None for NULL.

        Raises CommandError for a query that is wrong or would write, and while rows are read; ArchiveUnavailableError.
        """
        with self.errors():
            found = self._select(query).select("COLUMNS(*)::VARCHAR")
            return found.columns, self._rows(found)

    def json(self, query: str) -> Iterator[str]:
        """Each row of a query as a JSON object. Raises as `lines`."""
        with self.errors():
            found = self._select(query).query("row", "SELECT to_json(row)::VARCHAR FROM row")
        return (str(row[0]) for row in self._rows(found))

    def export(self, query: str, file: Path) -> int:
        """Write the rows of a query to a new Parquet file, which `open_table` was told; gives how many they are.

        Raises as `lines`, and CommandError where the file cannot be written.
        """
        with self.errors():
            self._select(query).create_view("exported", replace=True)
            statement = f"COPY exported TO {_quoted(str(file))} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
            try:
                written = self._connection.execute(statement).fetchone()
            except duckdb.IOException as error:
                if str(file) not in str(error):  # it is about an object
                    raise
                raise CommandError(f"the export: {self._message(error)}", ExitCode.UNAVAILABLE) from None
        return int(written[0]) if written else 0

    def interrupt(self) -> None:
        """End what another thread has under way; there, it is an error."""
        self._connection.interrupt()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn DuckDB's errors into ours, with its own message, in which no credentials remain."""
        try:
            yield
        except (duckdb.IOException, duckdb.HTTPException) as error:
            raise ArchiveUnavailableError(self._message(error)) from None
        except duckdb.Error as error:
            raise CommandError(self._message(error), ExitCode.MISUSED) from None

    def _message(self, error: duckdb.Error) -> str:
        text = str(error) if self._secret is None else self._secret.taken_out_of(str(error))
        return "\n".join(harmless(line) for line in text.rstrip().splitlines())

    def _select(self, query: str) -> duckdb.DuckDBPyRelation:
        try:
            query.encode()
        except UnicodeEncodeError:  # an argument may have any bytes
            raise CommandError("a query is text in UTF-8.", ExitCode.MISUSED) from None
        statements = self._connection.extract_statements(query)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise CommandError("a query is one SELECT; DESCRIBE and SUMMARIZE are allowed, too.", ExitCode.MISUSED)
        return self._connection.sql(query)

    def _rows(self, found: duckdb.DuckDBPyRelation) -> Iterator[tuple[str | None, ...]]:
        while True:
            with self.errors():
                rows = found.fetchmany(1000)
            self.on_rows()
            if not rows:
                return
            yield from rows


@contextmanager
def open_table(url: str, secret: Secret | None, *, writes: Sequence[Path] = ()) -> Iterator[ArchiveTable]:
    """The archive at `file:///…` or `s3://…`.

    secret: what leads to S3. writes: the only files that may be written.
    Raises CommandError for another archive, and where the extension for S3 is missing; ArchiveUnavailableError.
    """
    root = root_of(url)
    with (
        TemporaryDirectory(prefix="checkpoint-query-") as spill,
        duckdb.connect(":memory:", config=_CONFIGURATION) as db,
    ):
        table = ArchiveTable(db, secret)
        with table.errors():
            db.execute("SET TimeZone = 'UTC'")
            db.execute(f"SET temp_directory = {_quoted(spill)}")
            if secret:
                db.execute(f"SET threads = {_S3_THREADS}")
                db.execute(f"LOAD {_quoted(_extension())}")
                db.execute("SET httpfs_connection_caching = true")
                db.execute("SET s3_allow_recursive_globbing = false")  # half as many requests to list
                secret.create(db)
            objects = f"{_literally(root)}sqs_message_*.json"
            db.execute(f"SET allowed_directories = [{_quoted(root)}, {_quoted(_literally(root))}]")
            db.execute(f"SET allowed_paths = [{', '.join(_quoted(str(path)) for path in writes)}]")
            db.execute("SET enable_external_access = false")
            db.execute("SET lock_configuration = true")
            db.execute(_VIEW.format(last=_LAST_SECOND, objects=_quoted(objects)))
        yield table


def root_of(url: str) -> str:
    """What stands before an object's name: a directory's path, or bucket and prefix; with a slash at its end."""
    parts = urlsplit(url)
    path = unquote(parts.path).rstrip("/")
    if parts.scheme == "file":
        return f"{path}/"
    if parts.scheme == "s3":
        return f"s3://{parts.netloc}{path}/"
    raise CommandError("ARCHIVE_URL: a query can read archives at file: and s3: alone.", ExitCode.MISUSED)


def _extension() -> str:
    """The file of httpfs; it is loaded by its path, and never downloaded."""
    import duckdb_extension_httpfs  # type: ignore[import-untyped]  # noqa: PLC0415  for S3 alone

    version = f"v{duckdb.__version__.removeprefix('v')}"
    file = Path(duckdb_extension_httpfs.__file__).parent / "extensions" / version / "httpfs.duckdb_extension"
    if not os.access(file, os.R_OK):
        raise CommandError(
            f"duckdb-extension-httpfs is not that of DuckDB {version}: pip install {EXTRA}", ExitCode.MISUSED
        )
    return str(file)


def _literally(path: str) -> str:
    """A path for DuckDB's glob, in which no character has a meaning."""
    return re.sub(r"[*?[]", r"[\g<0>]", path)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
