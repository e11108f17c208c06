"""The command line of a program that is configured by its environment: `--help`, `--version` and `--check`."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from checkpoint.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checkpoint.settings import Settings


class Variable(NamedTuple):
    """An environment variable as a reader needs it; the default is empty where there is none."""

    name: str
    default: str
    meaning: str


def parse(program: str, description: str, settings: type[Settings]) -> bool:
    """Whether `--check` was asked for. Returns where that, or nothing, is the argument.

    Otherwise print what was asked for and raise SystemExit: with 0 after `--help` and `--version`, with 2 and the usage
    after any other argument. The environment is not read.
    """
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog="\n".join(_help_of(settings)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{program} {VERSION}")
    parser.add_argument(
        "--check",
        action="store_true",
        help="look whether it could start here and do its work, change nothing, and exit with 0 or 1",
    )
    return bool(parser.parse_args().check)


def variables(settings: type[Settings]) -> Iterator[Variable]:
    """Every variable that a service reads, in the order of its settings."""
    for field in msgspec.structs.fields(settings):
        metas = [meta for meta in getattr(field.type, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
        descriptions = [meta.description for meta in metas if meta.description]
        defaults = [meta.extra["default"] for meta in metas if meta.extra and "default" in meta.extra]
        yield Variable(
            field.encode_name.upper(),
            default=str([field.default, *defaults][-1]),
            meaning="".join(descriptions[-1:]),
        )


def _help_of(settings: type[Settings]) -> Iterator[str]:
    """The lines about the variables, as wide as the terminal."""
    described = list(variables(settings))
    column = max(len(variable.name) for variable in described) + 4
    width = shutil.get_terminal_size().columns - 2  # as argparse's own lines
    yield from textwrap.wrap(
        "It is configured by the environment variables below. Each of them may be ssm:/name/of/a/parameter instead "
        f"of a value. {settings.__doc__}",
        width,
    )
    yield "\nenvironment variables:"
    for name, default, meaning in described:
        yield textwrap.fill(
            f"{meaning} (default: {default})",
            width,
            initial_indent=f"  {name}".ljust(column),
            subsequent_indent=" " * column,
            break_long_words=False,
            break_on_hyphens=False,
        )
