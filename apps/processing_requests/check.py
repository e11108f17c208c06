"""From what was posted to an e-mail, or to why it is none. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from checkpoint.email import Email, NotAnEmailError
from processing_requests.answers import (
    INVALID_FIELDS,
    INVALID_JSON,
    INVALID_TOKEN,
    UNSUPPORTED_MEDIA_TYPE,
    RefusedError,
    too_large,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from processing_requests.tokens import Tokens

# Objects and arrays within one another, the posted object being the first and `data` the second. No e-mail needs more,
# and every decoder between here and a reader of the archive takes as much.
_MAX_DEPTH: Final = 64

# An e-mail has four. Decoded, a value of two or three bytes takes about 70 in memory.
_MAX_VALUES: Final = 500_000

# Of a JSON text without escapes only the quotes stay, and a comma for each comma and each opening bracket.
_COMMAS: Final = bytes.maketrans(b"[{", b",,")
_NEITHER: Final = bytes(set(range(256)) - set(b',[{"'))

_NULL: Final = msgspec.Raw(b"null")


class _Posted(msgspec.Struct):
    data: msgspec.Raw = _NULL
    token: str | None = None


class _PostedByAnybody(msgspec.Struct):
    data: msgspec.Raw = _NULL
    token: msgspec.Raw = _NULL


_decoder: Final = msgspec.json.Decoder()
_finder: Final = msgspec.json.Decoder(_Posted)
_finder_of_anything: Final = msgspec.json.Decoder(_PostedByAnybody)
_token_decoder: Final = msgspec.json.Decoder(str | None)


def check(fields: Mapping[bytes, bytes], body: bytes, *, tokens: Tokens, latest: int, max_bytes: int) -> Email:
    """The e-mail that was posted.

    The token is looked at before anything is made of the body that takes more memory than the body itself.

    fields: the request's, as `Request` has them. latest: seconds since 1970; an e-mail dated after it is refused.
    max_bytes: the longest e-mail that can be taken.
    Raises RefusedError.
    """
    found = _find(body)
    presented = bearer(fields)
    if not tokens.accept(found.token if presented is None else presented):
        raise RefusedError(INVALID_TOKEN)
    posted = _decode(body)
    try:
        # Of several members of one name both decoders take the last. A copy does not keep the whole body in memory.
        email = Email.accept(bytes(found.data), posted.get("data"), latest=latest)
    except NotAnEmailError as error:
        raise RefusedError(INVALID_FIELDS, error.faults) from None
    if len(email.body) > max_bytes:  # the two characters that were escaped are longer now
        raise RefusedError(too_large(max_bytes))
    return email


def check_media_type(fields: Mapping[bytes, bytes]) -> None:
    """Raise RefusedError unless the body is announced as plain JSON.

    A charset is ignored, as RFC 8259 (11) has none; a compressed body is refused by RFC 9110 (15.5.16).
    """
    media_type = fields.get(b"content-type", b"")
    if media_type != b"application/json":
        media_type = media_type.partition(b";")[0].strip().lower()
        is_json = media_type == b"application/json" or (
            media_type.startswith(b"application/") and media_type.endswith(b"+json")  # RFC 6839, 3.1
        )
        if not is_json or b"," in media_type:
            raise RefusedError(UNSUPPORTED_MEDIA_TYPE)
    if b"content-encoding" in fields and fields[b"content-encoding"].lower() != b"identity":
        raise RefusedError(UNSUPPORTED_MEDIA_TYPE)


def bearer(fields: Mapping[bytes, bytes]) -> bytes | None:
    """The token of an `Authorization: Bearer` header (RFC 6750, 2.1), None without one."""
    authorization = fields.get(b"authorization")
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else None


def _find(body: bytes) -> _Posted:
    """The two members that matter, with `data` as text; of several of one name the last. Raises RefusedError."""
    try:
        try:
            return _finder.decode(body)
        except msgspec.ValidationError:  # a token that is no string, though one of that name may follow; or no object
            members = _finder_of_anything.decode(body)
    except (ValueError, RecursionError):
        raise RefusedError(INVALID_JSON) from None
    try:
        return _Posted(members.data, _token_decoder.decode(members.token))
    except ValueError:
        raise RefusedError(INVALID_TOKEN) from None


def _decode(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises RefusedError."""
    if len(body) > _MAX_VALUES and _has_too_many_values(body):
        raise RefusedError(INVALID_JSON)
    try:
        posted: dict[str, Any] = _decoder.decode(body)
    except (ValueError, RecursionError):
        raise RefusedError(INVALID_JSON) from None
    # Counting brackets is enough for all but the strangest bodies, and costs nothing.
    if body.count(b"{") + body.count(b"[") > _MAX_DEPTH and _is_too_deep(posted):
        raise RefusedError(INVALID_JSON)
    return posted


def _has_too_many_values(body: bytes) -> bool:
    """Each value but the first has a separator before it; most bodies have few even if strings are counted as well."""
    marks = body.count(b",") + body.count(b"[") + body.count(b"{")
    return marks > _MAX_VALUES and separators(body) > _MAX_VALUES


def separators(text: bytes) -> int:
    """How many commas and opening brackets of a JSON text do not stand in strings.

    All of it is done by methods of bytes: a pattern takes seconds for millions of strings.
    """
    marks = text.replace(rb"\\", b"").replace(rb"\"", b"").translate(_COMMAS, _NEITHER)
    # Two quotes side by side are a string without a comma, or the end of one and the start of the next.
    return sum(map(len, marks.replace(b'""', b"").split(b'"')[::2]))


def _is_too_deep(posted: dict[str, Any]) -> bool:
    level: list[Any] = [posted]
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
