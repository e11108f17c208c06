"""The commands `query` and `export`: the archive as a table, through DuckDB."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
from pathlib import Path  # noqa: TC003  typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from checkpoint.archive.adapters import open_listed_store
from command_line.output import Json, Spinner, print_json
from command_line.query.printing import print_csv, print_rows, print_table
from command_line.query.secrets import secret_of
from command_line.running import CommandError, ExitCode, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from command_line.query.database import ArchiveTable
    from command_line.settings import CommandLineSettings

_Result = TypeVar("_Result")

_COLUMNS: Final = (
    "The columns of `emails`: email_subject, email_sender, email_timestream (its digits, as text), email_content, "
    "sent (its date, a timestamp in UTC), object (its name), size (in bytes). What is no e-mail has NULL in the fields."
)
_ROWS: Final = 100
_EXTRA: Final = ("duckdb", "duckdb_extension_httpfs")


def query(
    sql: Annotated[str, typer.Argument(metavar="SELECT", help='For example "SELECT count(*) FROM emails".')],
    *,
    limit: Annotated[int, typer.Option(min=0, help="The most rows that a table shows; 0 for all.")] = _ROWS,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print all rows as CSV, with the names of the columns.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ask the archive by SQL: it is the table `emails`, in files or on S3. Nothing can be changed."""
    if as_csv and as_json:
        raise typer.BadParameter("--csv and --json exclude each other.")
    _need_duckdb()

    def ask(table: ArchiveTable) -> ExitCode:
        if as_json:
            print_rows(table.json(sql))
        elif as_csv:
            print_csv(*table.lines(sql))
        else:
            print_table(*table.lines(sql), limit=limit)
        return ExitCode.AS_ASKED

    run(lambda settings: with_table(settings.archive_url, ask))


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.parquet", help="The file to write.")],
    *,
    sql: Annotated[str, typer.Option("--query", metavar="SELECT", help="What to export.")] = "SELECT * FROM emails",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file, if it is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write the archive, or what a query finds in it, to a Parquet file."""
    _need_duckdb()

    async def command(settings: CommandLineSettings) -> ExitCode:
        rows = await export_to(file.absolute(), settings.archive_url, sql, overwrite=overwrite)
        size = file.stat().st_size
        if as_json:
            print_json({"file": str(file), "rows": rows, "bytes": size})
        else:
            typer.echo(f"{rows:,} rows, {size:,} bytes: {file}")
        return ExitCode.AS_ASKED

    run(command)


query.__doc__ = f"{query.__doc__}\n\n{_COLUMNS}"
export.__doc__ = f"{export.__doc__}\n\n{_COLUMNS}"


async def export_to(file: Path, url: str, sql: str, *, overwrite: bool) -> int:
    """Export to a file, which is there only when it is whole; gives the number of rows.

    Raises CommandError where it is there already or cannot be written, and as `with_table`.
    """
    if not overwrite and await asyncio.to_thread(os.path.lexists, file):
        raise CommandError(f"{file}: is there already; --overwrite replaces it.", ExitCode.MISUSED)
    partial = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        partial.open("xb").close()
        try:
            rows = await with_table(url, lambda table: table.export(sql, partial), writes=[partial])
            if overwrite:
                partial.replace(file)
            else:
                os.link(partial, file)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", ExitCode.MISUSED) from None
    return rows


async def with_table(url: str, work: Callable[[ArchiveTable], _Result], *, writes: Sequence[Path] = ()) -> _Result:
    """Do work on the archive as a table, on a thread; Ctrl-C ends it.

    Raises as `open_table` and the table's methods do.
    """
    from command_line.query.database import open_table, root_of  # noqa: PLC0415  what it imports is an extra

    root_of(url)
    try:
        async with open_listed_store(url) as store:
            async for _ in store.objects(""):  # a lost mount or a denied right has a better text here than in DuckDB
                break
        secret = await secret_of(url)
    except ValueError as error:
        raise CommandError(f"ARCHIVE_URL: {error}", ExitCode.MISUSED) from None
    with open_table(url, secret, writes=writes) as table:
        working = asyncio.create_task(asyncio.to_thread(work, table))
        try:
            with Spinner("Reading the archive…") as spinner:
                table.on_rows = spinner.stop
                return await asyncio.shield(working)
        except asyncio.CancelledError:
            table.interrupt()
            await asyncio.wait([working])
            working.exception()  # that it was interrupted; an exception that nobody asks for is logged
            raise


def _need_duckdb() -> None:
    if not all(map(importlib.util.find_spec, _EXTRA)):
        typer.echo("checkpoint: this needs DuckDB: pip install 'checkpoint-emails[query]'", err=True)
        raise typer.Exit(ExitCode.MISUSED)
