"""How long a request to an object store may take, and how often it is tried again: the same for every store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

# Short, because the broker itself tries again, for as long as it takes. object_store's own would be 5 s, 30 s and ten
# retries within three minutes: https://docs.rs/object_store/latest/object_store/struct.RetryConfig.html
_CONNECT_TIMEOUT: Final = "3s"
_TIMEOUT: Final = "15s"
RETRIES: Final[RetryConfig] = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}


def client_options(endpoint: str | None) -> ClientConfig:
    """The options of a store's HTTP client.

    endpoint: the store's, where it is not the service's own. Without encryption only where it begins with http:
    """
    return {
        "connect_timeout": _CONNECT_TIMEOUT,
        "timeout": _TIMEOUT,
        "allow_http": bool(endpoint and endpoint.startswith("http:")),
    }
