"""A body that is too long to be sent in one piece: one copy for all clients, sent in parts as each one takes them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a client has `answer_seconds` to take: at 10 s, a client as slow as a modem gets the whole.
_PART_BYTES: Final = 65_536
_COMPRESSED_PART_BYTES: Final = 32_768
_GZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class LongBody:
    """Bytes that are held once, compressed by gzip.

    decompresses: whether the client gets them decompressed. Each such client takes memory of its own, a part and what
        zlib needs (48 KiB, https://www.zlib.net/zlib_tech.html), and so there may be `Bounds.decompressing` of them.
    """

    compressed: bytes
    decompresses: bool

    def parts(self) -> Iterator[bytes | memoryview]:
        """The body, in parts; one that is not decompressed is no copy."""
        if not self.decompresses:
            whole = memoryview(self.compressed)
            yield from (whole[start : start + _PART_BYTES] for start in range(0, len(whole), _PART_BYTES))
            return
        decompressor = zlib.decompressobj(_GZIP)
        for start in range(0, len(self.compressed), _COMPRESSED_PART_BYTES):
            yield decompressor.decompress(self.compressed[start : start + _COMPRESSED_PART_BYTES])
