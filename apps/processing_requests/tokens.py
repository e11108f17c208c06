"""The tokens that clients may present: compared in constant time, replaced while running."""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = structlog.get_logger()


class Tokens:
    """The valid tokens; several at once while one is being rotated.

    text: the tokens, separated by commas. Raises ValueError where it holds none.
    """

    def __init__(self, text: str) -> None:
        self.replace(text)

    def __repr__(self) -> str:
        return "Tokens(…)"

    def replace(self, text: str) -> None:
        """Take other tokens from now on. Raises ValueError where the text holds none, and keeps those it has."""
        tokens = tuple(token.strip().encode(errors="surrogateescape") for token in text.split(",") if token.strip())
        if not tokens:
            raise ValueError("TOKEN: holds no token; give it one, or several separated by commas.")
        self._tokens = tokens

    def accept(self, candidate: object) -> bool:
        """Whether it is one of the valid tokens. Every token is compared, so that time tells nothing."""
        if isinstance(candidate, str):
            candidate = candidate.encode()
        if not isinstance(candidate, bytes):
            return False
        accepted = False
        for token in self._tokens:
            accepted |= hmac.compare_digest(token, candidate)
        return accepted


async def refresh_periodically(tokens: Tokens, fetch: Callable[[], Awaitable[str]], *, every_seconds: float) -> None:
    """Read the tokens again and again, until cancelled; a failed read keeps the last good ones and is logged once."""
    failing = False
    while True:
        await asyncio.sleep(every_seconds)
        try:
            tokens.replace(await fetch())
        except Exception as error:  # noqa: BLE001  whatever fails, the service goes on with the tokens it has
            if not failing:
                _log.warning("tokens_refresh_failed", error=type(error).__name__)
            failing = True
        else:
            if failing:
                _log.info("tokens_refreshed")
            failing = False
