"""The files, variables and blocks of terraform/, parsed without running Terraform."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import hcl2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONFIGURATION: Final = Path(__file__).parents[2] / "terraform"
# Every file with a block of the Kubernetes provider.
WORKLOADS: Final = sorted(file for file in CONFIGURATION.glob("*.tf") if '\nresource "kubernetes_' in file.read_text())


def parsed(files: Iterable[Path]) -> dict[str, Any]:
    """The blocks of some files, as if they were one."""
    text = "\n".join(file.read_text() for file in files)
    blocks: dict[str, Any] = hcl2.loads(text, serialization_options=hcl2.SerializationOptions(with_comments=False))
    return blocks


def variables() -> dict[str, dict[str, Any]]:
    """Every variable, by name."""
    declared = parsed(CONFIGURATION.glob("*.tf"))["variable"]
    return {name.strip('"'): body for block in declared for name, body in block.items()}


def resources(files: Iterable[Path]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The type, the name and the body of each resource in some files."""
    for resource in parsed(files)["resource"]:
        for kind, named in resource.items():
            for name, body in named.items():
                yield kind.strip('"'), name.strip('"'), body
