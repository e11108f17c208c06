"""An intake over HTTP."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from command_line.posting.answer import Answer, NoAnswerError
from command_line.running import CommandError, ExitCode
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, connect=None, sock_connect=10)
_LONGEST_REASON: Final = 300
_LONGEST_PROBLEM: Final = 64 * 1024
# aiohttp warns of longer bodies that are bytes, because it writes them at once.
_STREAMED_BYTES: Final = 1024 * 1024


class _Fault(msgspec.Struct):
    detail: str = ""


class _Problem(msgspec.Struct):
    """RFC 9457, as the intake has it."""

    title: str = ""
    detail: str = ""
    errors: list[_Fault] = []


_decoder: Final = msgspec.json.Decoder(_Problem)


class HTTPIntake:
    """An intake behind a URL."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = f"{url.rstrip('/')}/process_request"

    async def post(self, text: bytes) -> Answer:
        """As Intake says."""
        body = b'{"data":' + text + b"}"
        try:
            async with self._session.post(
                self._url, data=body if len(body) < _STREAMED_BYTES else io.BytesIO(body), allow_redirects=False
            ) as response:
                content = await _read(response)
                identity = response.headers.get("X-Message-Id", "")
                reason = "" if response.status == HTTPStatus.OK else _reason(response.status, content)
                retry_after = _seconds(response.headers.get("Retry-After", ""), response.headers.get("Date", ""))
                return Answer(response.status, identity, reason, retry_after)
        except aiohttp.ClientSSLError as error:
            raise CommandError(f"the intake cannot be trusted: {_cause(error)}", ExitCode.UNAVAILABLE) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswerError(_cause(error)) from None


@asynccontextmanager
async def open_intake(url: str, token: str, *, connections: int) -> AsyncIterator[HTTPIntake]:
    """The intake at a URL, with connections that are kept.

    token: of several, separated by commas, the first. Raises CommandError for what is no such URL.
    """
    if not _is_of_an_intake(url):
        raise CommandError("the URL of an intake is http://host:port or https://host.", ExitCode.MISUSED)
    token = token.partition(",")[0].strip()
    if not token.isascii() or not token.isprintable():  # RFC 9110, 5.5: no header can have it
        raise CommandError("TOKEN: must be of printable ASCII characters.", ExitCode.MISUSED)
    headers = {
        "Accept": "application/problem+json",
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
    }
    connector = aiohttp.TCPConnector(limit=connections, limit_per_host=connections)
    async with aiohttp.ClientSession(
        connector=connector, headers=headers, timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield HTTPIntake(session, url)


def _is_of_an_intake(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    has_more = parts.query or parts.fragment or parts.username is not None
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and not has_more


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The beginning of an answer's content, when all of it has come: one that is cut off is no answer."""
    content = b""
    async for chunk in response.content.iter_any():
        content += chunk[: _LONGEST_PROBLEM - len(content)]
    return content


def _reason(status: int, content: bytes) -> str:
    """What an answer says, without what a terminal would obey."""
    try:
        problem = _decoder.decode(content)
    except (ValueError, RecursionError):
        problem = _Problem()
    said = " ".join(each.detail for each in problem.errors if each.detail) or problem.detail
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    title = problem.title or phrase
    return harmless(f"{status} {title}{': ' if title and said else ''}{said}".strip())[:_LONGEST_REASON]


def _seconds(retry_after: str, date: str) -> float:
    """How long to wait: a number of seconds, or until a date by the answer's own clock (RFC 9110, 10.2.3)."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - parsedate_to_datetime(date)).total_seconds())
    except (TypeError, ValueError):
        return 0


def _cause(error: Exception) -> str:
    """The error's kind and the system's reason; its own text may repeat a URL."""
    system = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    reason = getattr(system, "strerror", None)
    return harmless(f"{type(error).__name__}: {reason}" if reason else type(error).__name__)
