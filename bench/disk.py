"""What the benches of files have in common: a directory on a disk, and its file system's name."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

MOUNTS: Final = Path("/proc/self/mounts")


def add_directory(parser: argparse.ArgumentParser) -> None:
    """The argument `--directory`."""
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path(tempfile.gettempdir()),
        metavar="PATH",
        help="a directory on the disk to measure; what is written there is removed again (default: %(default)s)",
    )


@contextmanager
def empty_directory(parent: Path) -> Iterator[Path]:
    """A new directory, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as directory:
        yield Path(directory).resolve()


def file_system(directory: Path) -> str:
    """`ext4`, `tmpfs` and the like, where Linux tells."""
    if not MOUNTS.exists():
        return "unknown file system"
    mounts = [line.split()[1:3] for line in MOUNTS.read_text().splitlines()]
    under = {Path(point): kind for point, kind in mounts if directory.resolve().is_relative_to(point)}
    return under[max(under, key=lambda point: len(point.parts))]
