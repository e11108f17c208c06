"""A container's health check, for an image without curl: the exit code is 0 where the service is healthy, else 1.

`python -m checkpoint.operations.healthcheck` requests `/livez`, or the path that is its argument, from the private port
at PRIVATE_HOST and PRIVATE_PORT.
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
    """None where the service is healthy, else the reason that it is not."""
    path = arguments[0] if arguments else "/livez"
    # On Linux a client that connects to 0.0.0.0, which stands for all addresses, reaches the container itself.
    connection = HTTPConnection(
        environ.get("PRIVATE_HOST", "127.0.0.1"), int(environ["PRIVATE_PORT"]), timeout=_TIMEOUT_SECONDS
    )
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        answer = f"{response.status} {response.read().decode(errors='replace')}"
    except (OSError, HTTPException) as error:
        return f"{path}: {type(error).__name__}: {error}"
    finally:
        connection.close()
    return None if response.status == 200 else f"{path}: {answer}"  # noqa: PLR2004  OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
