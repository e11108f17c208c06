"""Vendor Swagger UI for the intake's /docs: `python dev/swagger_ui.py 5.35.0` replaces what is there by that version.

It asks npm for the package `swagger-ui-dist`, which checks the package's integrity. What it writes to
apps/processing_requests/docs/swagger_ui: the files that a browser needs, compressed; the licences; and `contents.json`,
which says what package that is, and the SHA-256 of each file as the package has it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import Final

VENDORED: Final = Path(__file__).parents[1] / "apps/processing_requests/docs/swagger_ui"
PACKAGE: Final = "swagger-ui-dist"
SERVED: Final = ("swagger-ui-bundle.js", "swagger-ui.css")
LICENCES: Final = ("LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt")
_GZIP: Final = 16 + zlib.MAX_WBITS


def main() -> None:
    """Do what the command line asks for."""
    if len(sys.argv) != 2:  # noqa: PLR2004  the version
        sys.exit(__doc__)
    version = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        pack = ["npm", "pack", "--json", f"--pack-destination={directory}", f"{PACKAGE}@{version}"]
        packed = json.loads(subprocess.run(pack, check=True, stdout=subprocess.PIPE).stdout)[0]  # noqa: S603
        with tarfile.open(Path(directory) / packed["filename"]) as package:
            files = {name: read(package, f"package/{name}") for name in (*SERVED, *LICENCES)}
    VENDORED.mkdir(exist_ok=True)
    for old in VENDORED.iterdir():
        old.unlink()
    for name in SERVED:
        (VENDORED / f"{name}.gz").write_bytes(compress(files[name]))
    for name in LICENCES:
        (VENDORED / name).write_bytes(files[name])
    contents = {
        "package": PACKAGE,
        "version": packed["version"],
        "integrity": packed["integrity"],
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "bytes": {name: len(files[name]) for name in SERVED},
    }
    (VENDORED / "contents.json").write_text(json.dumps(contents, indent=2) + "\n")


def read(package: tarfile.TarFile, name: str) -> bytes:
    """A file of the package."""
    opened = package.extractfile(name)
    if opened is None:
        sys.exit(f"{name} is no file.")
    return opened.read()


def compress(content: bytes) -> bytes:
    """Gzip without a time in it, so that the same content has the same bytes."""
    compressor = zlib.compressobj(9, wbits=_GZIP)
    return compressor.compress(content) + compressor.flush()


if __name__ == "__main__":
    main()
