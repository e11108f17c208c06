"""Reads what a `sqlite:` URL says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

# A bad message is set aside by the broker at once. This is for what kills the broker again and again before it can:
# it must not stop the queue, and yet a broker that was restarted a few times must not cost a good message its place.
DEFAULT_MAX_RECEIVES: Final = 20


@dataclass(frozen=True, slots=True)
class Location:
    """Where the queue is, and how often it hands out one message.

    max_receives: a message received that often goes to `dead_letters` instead of being received again.
    """

    path: Path
    max_receives: int = DEFAULT_MAX_RECEIVES

    @classmethod
    def read(cls, url: str) -> Self:
        """Read `sqlite:///relative.db`, `sqlite:////absolute.db`, with or without `?max_receives=20`.

        Raises ValueError, which names QUEUE_URL and what is wrong with it.
        """
        parts = urlsplit(url)
        if parts.netloc or parts.fragment or not parts.path.strip("/"):
            raise ValueError("QUEUE_URL must be sqlite:///relative/path.db or sqlite:////absolute/path.db")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        max_receives = options.pop("max_receives", str(DEFAULT_MAX_RECEIVES))
        if options:
            raise ValueError("QUEUE_URL: the one option of a sqlite queue is max_receives")
        if not (max_receives.isascii() and max_receives.isdigit() and int(max_receives)):
            raise ValueError("QUEUE_URL: max_receives must be a whole number, 1 or more")
        return cls(Path(unquote(parts.path[1:])), int(max_receives))
