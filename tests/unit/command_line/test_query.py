"""The archive as a table, over files; tests/e2e/test_query.py asks S3 too."""

from __future__ import annotations

import asyncio
import csv
import gc
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pytest
from typer.testing import CliRunner

from checkpoint.archive.port import ArchiveUnavailableError
from command_line.application import application
from command_line.query import commands
from command_line.query.database import open_table
from command_line.query.secrets import Secret, secret_of
from command_line.running import CommandError, ExitCode

if TYPE_CHECKING:
    from typer.testing import Result

E_MAIL = {
    "email_subject": "Happy new year!",
    "email_sender": "John doe",
    "email_timestream": "1693561101",
    "email_content": "Just want to say",
}


class Asked:
    """An archive of files, and what is asked of it."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        monkeypatch.setenv("ARCHIVE_URL", directory.as_uri())

    def put(self, name: str, body: bytes | None = None, **changed: object) -> None:
        (self.directory / name).write_bytes(json.dumps(E_MAIL | changed).encode() if body is None else body)

    def query(self, sql: str, *options: str, code: int = 0) -> Result:
        ended = CliRunner().invoke(application, ["query", sql, *options], env={"COLUMNS": "300"})
        assert ended.exit_code == code, ended.output
        return ended

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.query(sql, "--json").stdout.splitlines()]


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    directory = tmp_path / "arch[iv]e *?'"  # characters that mean something to a glob, and to SQL
    directory.mkdir()
    return Asked(directory, monkeypatch)


def test_an_e_mail_is_a_row(archive: Asked) -> None:
    archive.put("sqs_message_1693561101.json")
    assert archive.rows("SELECT * FROM emails") == [
        E_MAIL
        | {"sent": "2023-09-01 09:38:21", "object": "sqs_message_1693561101.json", "size": len(json.dumps(E_MAIL))}
    ]


@pytest.mark.parametrize(
    ("field", "name", "text", "sent"),
    [
        (1, "1", "1", "1970-01-01 00:00:01"),
        (16103.0, "16103", "16103", "1970-01-01 04:28:23"),
        ("007", "007_0123456789abcdef", "007", "1970-01-01 00:00:07"),
        (99999999999999999999, "99999999999999999999", "99999999999999999999", None),
        ("253402300800", "253402300800", "253402300800", None),  # the year 10000
    ],
)
def test_a_timestream_is_text_however_it_was_posted_and_has_a_date_where_there_is_one(
    archive: Asked, field: object, name: str, text: str, sent: str | None
) -> None:
    archive.put(f"sqs_message_{name}.json", email_timestream=field)
    assert archive.rows("SELECT email_timestream, sent FROM emails") == [{"email_timestream": text, "sent": sent}]


def test_what_is_no_e_mail_has_a_row_without_fields_and_ends_no_query(archive: Asked) -> None:
    others = [b"", b"{", b"[1]", b"null", b"\xff\xfe\0", b"\x1f\x8b\x08", b'{"email_sender": {"a": [1]}}']
    for number, body in enumerate(others):
        archive.put(f"sqs_message_{number}.json", body)
    archive.put("sqs_message_9.json")
    found = archive.rows("SELECT object, size, email_sender FROM emails ORDER BY object")
    assert [row["size"] for row in found] == [*map(len, others), len(json.dumps(E_MAIL))]
    assert [row["email_sender"] for row in found] == [None] * 6 + ['{"a":[1]}', "John doe"]


def test_what_is_no_object_of_the_archive_is_not_read(archive: Asked) -> None:
    (archive.directory / ".staging").mkdir()
    for name in (".staging/sqs_message_1.json", ".staging/sqs_message_1.json.0123", "notes.txt", "sqs_message_1.json~"):
        archive.put(name)
    assert archive.rows("SELECT count(*) AS count FROM emails") == [{"count": 0}]


def test_nothing_but_the_archive_can_be_read(archive: Asked, tmp_path: Path) -> None:
    hidden = tmp_path / "sqs_message_1.json"
    hidden.write_text("hidden")
    within = str(archive.directory).replace("'", "''")
    with open_table(archive.directory.as_uri(), None) as table:
        for source in (
            f"read_text('{hidden}')",
            f"read_text('{within}/../{hidden.name}')",
            f"'{tmp_path}/*.json'",
            "glob('/etc/*')",
            "hidden",  # a variable of this program
        ):
            with pytest.raises((CommandError, ArchiveUnavailableError)):
                list(table.json(f"SELECT * FROM {source}"))  # noqa: S608  that is what is tried


READS_ALONE: Final = "a query is one SELECT; DESCRIBE and SUMMARIZE are allowed, too."


def test_a_query_only_reads(archive: Asked) -> None:
    file = str(archive.directory / "written").replace("'", "''")
    with open_table(archive.directory.as_uri(), None) as table:
        for sql in (
            f"COPY (SELECT 1) TO '{file}'",
            f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}'",
            f"SELECT 1; COPY (SELECT 1) TO '{file}'",
            f"ATTACH '{file}'",
            "CREATE TABLE t (i INT)",
            "SET enable_external_access = true",
            "INSTALL httpfs",
            "LOAD httpfs",
            "",
        ):
            with pytest.raises(CommandError, match=f"^{READS_ALONE}$"):
                table.lines(sql)
            with pytest.raises(CommandError):
                table.export(sql, archive.directory / "export")
        for sql in ("DESCRIBE emails", "SUMMARIZE emails", "FROM emails", "VALUES (1)", "SELECT 1 -- ;"):
            table.lines(sql)
    assert list(archive.directory.iterdir()) == []


def test_a_wrong_query_is_told_in_the_databases_words(archive: Asked) -> None:
    archive.put("sqs_message_1693561101.json")
    for sql, option, reason in (
        ("SELEC", "--limit=1", 'Parser Error: syntax error at or near "SELEC"'),
        ("SELECT nope FROM emails", "--json", 'Binder Error: Referenced column "nope" not found'),
        ("SELECT email_sender::INT FROM emails", "--csv", "Conversion Error: Could not convert string 'John doe' to"),
    ):
        assert archive.query(sql, option, code=ExitCode.MISUSED).stderr.startswith(f"checkpoint: {reason}")


def test_a_table_is_harmless_and_says_that_there_is_more(archive: Asked) -> None:
    for number in range(5):
        archive.put(f"sqs_message_{number}.json", email_subject="[red]\x1b[31mred", email_content="x" * 300)
    ended = archive.query("SELECT email_subject, email_content, NULL AS n FROM emails", "--limit", "3")
    assert ended.stdout.count(r"[red]\x1b[31mred") == 3
    assert ended.stdout.count("x" * 200 + "…") == 3
    assert "x" * 201 not in ended.stdout
    assert ended.stdout.count("NULL") == 3
    assert ended.stderr == "Only the first 3 rows are shown. --limit, --csv and --json show more.\n"
    assert archive.query("FROM emails", "--limit", "0").stderr == ""


def test_csv_has_every_value_whole(archive: Asked) -> None:
    archive.put("sqs_message_1.json", email_subject='"a",\nb', email_content="x" * 300)
    printed = archive.query("SELECT email_subject, email_content, NULL AS n FROM emails", "--csv").stdout
    assert list(csv.reader(io.StringIO(printed))) == [
        ["email_subject", "email_content", "n"],
        ['"a",\nb', "x" * 300, ""],
    ]


def test_json_is_json_whatever_the_values_are(archive: Asked) -> None:
    sql = "SELECT 'nan'::DOUBLE AS nan, [1, 2] AS list, 1 AS a, 2 AS a, 170141183460469231731687303715884105727 AS big"
    assert archive.rows(sql) == [
        {"nan": None, "list": [1, 2], "a": 1, "a_1": 2, "big": 170141183460469231731687303715884105727}
    ]


def test_one_form_at_a_time(archive: Asked) -> None:
    assert "exclude each other" in archive.query("SELECT 1", "--csv", "--json", code=ExitCode.MISUSED).output


def test_an_archive_that_is_missing_is_told_and_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Asked(tmp_path / "missing", monkeypatch)
    ended = archive.query("FROM emails", code=ExitCode.UNAVAILABLE)
    assert "ENOENT" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_archive_elsewhere_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_URL", "gs://bucket")
    ended = CliRunner().invoke(application, ["query", "SELECT 1"])
    assert (ended.exit_code, ended.stderr) == (
        2,
        "checkpoint: ARCHIVE_URL: a query can read archives at file: and s3: alone.\n",
    )


@pytest.mark.parametrize("command", [["query", "SELECT 1"], ["export", "x.parquet"]])
def test_without_the_extra_one_line_says_how_to_install_it(
    archive: Asked, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr(commands, "_EXTRA", ("no_such_module",))
    ended = CliRunner().invoke(application, command)
    assert (ended.exit_code, ended.output) == (
        2,
        "checkpoint: this needs DuckDB: pip install 'checkpoint-emails[query]'\n",
    )
    assert list(archive.directory.iterdir()) == []


def test_an_export_is_a_parquet_file_of_the_rows(archive: Asked, tmp_path: Path) -> None:
    for number in range(3):
        archive.put(f"sqs_message_{number}.json", email_timestream=number)
    file = tmp_path / "out.parquet"
    ended = CliRunner().invoke(application, ["export", str(file), "--json"])
    assert json.loads(ended.stdout) == {"file": str(file), "rows": 3, "bytes": file.stat().st_size}
    with duckdb.connect() as connection:
        found = connection.execute("SELECT object, sent FROM read_parquet(?) ORDER BY 1", [str(file)]).fetchall()
    assert [str(row[1]) for row in found] == [f"1970-01-01 00:00:0{number}" for number in range(3)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [archive.directory.name, "out.parquet"]


def test_an_export_replaces_a_file_only_where_it_may(archive: Asked, tmp_path: Path) -> None:
    archive.put("sqs_message_1.json")
    file = tmp_path / "out.parquet"
    file.write_text("mine")
    ended = CliRunner().invoke(application, ["export", str(file)])
    assert (ended.exit_code, file.read_text()) == (ExitCode.MISUSED, "mine")
    assert CliRunner().invoke(application, ["export", str(file), "--overwrite"]).exit_code == 0
    assert file.read_bytes().startswith(b"PAR1")


def test_a_failed_export_leaves_nothing(archive: Asked, tmp_path: Path) -> None:
    for options in (["--query", "SELECT nope"], ["--query", "COPY (SELECT 1) TO 'x'"]):
        ended = CliRunner().invoke(application, ["export", str(tmp_path / "out.parquet"), *options])
        assert ended.exit_code == ExitCode.MISUSED
    missing = CliRunner().invoke(application, ["export", str(tmp_path / "missing" / "out.parquet")])
    assert (missing.exit_code, missing.stderr) == (
        2,
        f"checkpoint: {tmp_path / 'missing' / 'out.parquet'}: No such file or directory\n",
    )
    assert list(tmp_path.iterdir()) == [archive.directory]


async def test_a_cancelled_query_ends_at_once_and_without_a_word(
    archive: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    endless = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
    task = asyncio.create_task(commands.with_table(archive.directory.as_uri(), lambda table: list(table.json(endless))))
    await asyncio.sleep(0.5)  # whether it is already at the query or not, it ends
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    del task
    gc.collect()
    assert "never retrieved" not in caplog.text


SECRET = Secret({"KEY_ID": "AKIAEXAMPLE", "SECRET": "s3cr'et", "SESSION_TOKEN": "t0ken", "ENDPOINT": "127.0.0.1:1"})


def test_no_credential_is_in_an_error_or_a_result(tmp_path: Path) -> None:
    for word in ("AKIAEXAMPLE", "s3cr'et", "t0ken"):
        assert word not in SECRET.taken_out_of(f"HTTP 403: {word} is wrong")
        assert word not in repr(SECRET)
    with open_table(tmp_path.as_uri(), SECRET) as table:
        found = "".join(table.json("SELECT s FROM duckdb_secrets() s"))
        found += "".join(table.json("SELECT name, value FROM duckdb_settings()"))
        with pytest.raises(CommandError) as refused:
            list(table.json("SELECT error('AKIAEXAMPLE t0ken')"))
    assert "s3cr" not in found
    assert "t0ken" not in found
    assert "AKIA" not in str(refused.value)


async def test_a_secret_is_what_the_services_take(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert await secret_of("file:///srv/archive") is None
    with pytest.raises(ArchiveUnavailableError, match="no AWS credentials found"):
        await secret_of("s3://bucket")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    on_aws: dict[str, str | bool] = {"KEY_ID": "key", "SECRET": "secret", "SCOPE": "s3://bucket", "REGION": "eu-west-3"}
    assert await secret_of("s3://bucket/prefix") == Secret(dict(on_aws))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://store:9000/")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    elsewhere: dict[str, str | bool] = {
        "SESSION_TOKEN": "token",
        "ENDPOINT": "store:9000",
        "URL_STYLE": "path",
        "USE_SSL": True,
    }
    assert await secret_of("s3://bucket") == Secret(on_aws | elsewhere)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://me:s3cret@store")
    with pytest.raises(ValueError, match=r"must not hold a user or a password\.$") as refused:
        await secret_of("s3://bucket")
    assert "s3cret" not in str(refused.value)


def test_a_query_that_is_no_text_is_misuse(archive: Asked) -> None:
    assert "a query is text in UTF-8" in archive.query("SELECT '\udc80'", code=ExitCode.MISUSED).stderr


def test_an_export_to_a_full_disk_is_not_said_of_the_archive(archive: Asked) -> None:
    full = Path("/dev/full")
    with open_table(archive.directory.as_uri(), None, writes=[full]) as table:
        with pytest.raises(CommandError, match=r"the export: IO Error: .*No space left on device") as raised:
            table.export("SELECT * FROM emails", full)
        assert raised.value.code is ExitCode.UNAVAILABLE


def test_a_query_that_fails_at_its_first_row_prints_no_head_of_csv(archive: Asked) -> None:
    archive.put("sqs_message_1.json")
    ended = archive.query("SELECT email_subject::INTEGER FROM emails", "--csv", code=ExitCode.MISUSED)
    assert ended.stdout == ""
    assert "Could not convert string 'Happy new year!'" in ended.stderr
