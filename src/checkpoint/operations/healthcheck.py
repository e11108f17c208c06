"""Whether a service is healthy, as an exit code, for a container's health check: an image holds no curl.

`python -m checkpoint.operations.healthcheck` asks the private port of PRIVATE_HOST and PRIVATE_PORT for `/livez`, or
for the path that it is given as an argument.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TIMEOUT_SECONDS: Final = 4  # /livez takes 2 to find that an event loop is stuck


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """What is wrong; None where the service is healthy."""
    path = arguments[0] if arguments else "/livez"
    # A container's address for "all addresses", 0.0.0.0, leads a client on Linux to the container itself.
    connection = HTTPConnection(
        environ.get("PRIVATE_HOST", "127.0.0.1"), int(environ["PRIVATE_PORT"]), timeout=_TIMEOUT_SECONDS
    )
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        said = f"{response.status} {response.read().decode(errors='replace')}"
    except (OSError, HTTPException) as error:
        return f"{path}: {type(error).__name__}: {error}"
    finally:
        connection.close()
    return None if response.status == 200 else f"{path}: {said}"  # noqa: PLR2004  OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
