"""Every bound that a connection keeps, in one table: what no client goes beyond, with or without a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# A request line and its headers. More than any client or load balancer sends: AWS's ends at 64 KiB too.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
MAX_HEAD_BYTES: Final = 65_536
# Each line costs time beside its bytes.
MAX_HEAD_LINES: Final = 1_024

# What a chunked body may have beside its data (sizes, extensions, trailers): as Go's net/http has it.
# https://github.com/golang/go/blob/master/src/net/http/internal/chunked.go
FRAMING_BYTES: Final = 16_384
FRAMING_BYTES_PER_CHUNK: Final = 16
FRAMING_BYTES_PER_DATA_BYTE: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Of all connections, and of each.

    head_seconds: from a request's first byte to the end of its headers; and for the rest of a body that nobody needs.
    body_seconds: from the end of the headers to the end of the body.
    answer_seconds: for the client to take an answer; of a long one, for each part (`long_body.py`).
    idle_seconds: from an answer to the first byte of the next request. Longer than the 60 s for which AWS's load
        balancers keep an idle connection, so that it is never this side that closes one under a request:
        https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/config-idle-timeout.html
    closing_seconds: for the client to stop sending, once it has an answer that ends the connection: one that is closed
        over bytes that were not read may lose the answer (RFC 9112, 9.6).
    drain_seconds: for requests under way to be answered when the service stops.
    connections: open at one time.
    held_bytes: of heads, bodies and read-ahead that are held in memory before a request is whole, all connections
        together. A single one may have more.
    small_bytes: of these, what a connection may hold in any case: so clients that fill the bound keep out no request
        of a usual size, though it may come in several parts.
    decompressing: clients at one time that a long document is decompressed for. Each takes some 200 KiB; one more is
        answered 503.
    """

    head_seconds: float
    body_seconds: float
    answer_seconds: float
    idle_seconds: float = 75
    closing_seconds: float = 2
    drain_seconds: float
    connections: int
    held_bytes: int
    small_bytes: int = 8_192
    decompressing: int = 32
