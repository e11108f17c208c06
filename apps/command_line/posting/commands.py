"""The commands `post` and `replay`."""

from __future__ import annotations

import errno
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from command_line.opening import open_archive
from command_line.output import Json  # noqa: TC001  typer looks at annotations
from command_line.posting.archived import Range, archived_items, named_items
from command_line.posting.items import Lines
from command_line.posting.reading import cut_into_lines, read
from command_line.posting.run import PostingOptions, post_all
from command_line.running import CommandError, ExitCode, run

if TYPE_CHECKING:
    from command_line.settings import CommandLineSettings

# 1,024 bytes is the longest key of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_LONGEST_NAME: Final = 1024

_Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        help="Lines of JSON: each the e-mail (data) itself, or a request with it. - is stdin.",
        show_default=False,
    ),
]
_Concurrency = Annotated[int, typer.Option(min=1, max=10_000, help="Requests at once.")]
_Rate = Annotated[float | None, typer.Option(min=0.001, help="Requests per second, at most.")]
_GiveUpAfter = Annotated[
    float, typer.Option(min=0, help="Seconds for which a request is tried again; Retry-After is heeded.")
]
_Receipts = Annotated[
    Path | None, typer.Option(help="Append a line for each e-mail that is confirmed; for --resume and reconcile.")
]
_Resume = Annotated[bool, typer.Option("--resume", help="Skip the e-mails that --receipts has already.")]
_CONCURRENCY: Final = 64
_GIVE_UP_AFTER: Final = 300.0


def post(
    files: _Files,
    *,
    to: Annotated[str | None, typer.Option(metavar="URL", help="The intake; INTAKE_URL where it is not given.")] = None,
    receipts: _Receipts = None,
    resume: _Resume = False,
    concurrency: _Concurrency = _CONCURRENCY,
    rate: _Rate = None,
    give_up_after: _GiveUpAfter = _GIVE_UP_AFTER,
    as_json: Json = False,
) -> None:
    """Post e-mails from files, one JSON object per line, each until it is confirmed or refused for good.

    The token is the setting TOKEN. Exit code 1 where any was not confirmed.
    """

    async def command(settings: CommandLineSettings) -> ExitCode:
        options = PostingOptions(
            url=to or settings.intake_url,
            token=settings.token,
            concurrency=concurrency,
            rate=rate,
            give_up_after=give_up_after,
            receipts=receipts,
            resume=resume,
            as_json=as_json,
        )
        with Lines(files) as lines:
            total = lines.total_bytes
            return await post_all(lines.items(), options, lambda: lines.read_bytes / total if total else None)

    run(command)


def replay(
    *,
    to: Annotated[str, typer.Option(metavar="URL", help="The intake to post to.", show_default=False)],
    prefix: Annotated[str, typer.Option(help="Only objects whose names begin so.")] = "",
    first: Annotated[
        int | None, typer.Option("--from", min=0, help="Only timestreams from this one on, in seconds since 1970.")
    ] = None,
    last: Annotated[int | None, typer.Option("--until", min=0, help="Only timestreams up to this one.")] = None,
    names: Annotated[
        Path | None, typer.Option(help="Only the objects that are named in this file, one per line; - is stdin.")
    ] = None,
    receipts: _Receipts = None,
    resume: _Resume = False,
    concurrency: _Concurrency = _CONCURRENCY,
    rate: _Rate = None,
    give_up_after: _GiveUpAfter = _GIVE_UP_AFTER,
    as_json: Json = False,
) -> None:
    """Post the e-mails of the archive at ARCHIVE_URL to another intake, which keeps each of them once.

    The token is the setting TOKEN: the other intake's. Nothing is changed in the archive.
    """

    async def command(settings: CommandLineSettings) -> ExitCode:
        options = PostingOptions(
            url=to,
            token=settings.token,
            concurrency=concurrency,
            rate=rate,
            give_up_after=give_up_after,
            receipts=receipts,
            resume=resume,
            as_json=as_json,
        )
        async with AsyncExitStack() as opened:
            store = await opened.enter_async_context(open_archive(settings))
            if names is None:
                items = archived_items(store, prefix, Range(first, last))
                return await post_all(items, options, lambda: None)
            if prefix or first is not None or last is not None:
                raise CommandError("--names says which objects: --prefix, --from and --until do not.", ExitCode.MISUSED)
            descriptor = _open(names)
            if descriptor:
                opened.callback(os.close, descriptor)
            lines = cut_into_lines(read(descriptor), longest=_LONGEST_NAME)
            return await post_all(named_items(store, lines), options, lambda: None)

    run(command)


def _open(path: Path) -> int:
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return 0 if str(path) == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", ExitCode.MISUSED) from None
