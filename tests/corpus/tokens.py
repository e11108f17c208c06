"""Which token counts, in the header and in the body, and of which type (RFC 6750, 2.1)."""

from __future__ import annotations

from typing import Final

from corpus.answers import INVALID_TOKEN, KEPT
from corpus.case import Case
from corpus.raw_requests import EMAIL, OTHER_TOKEN, POSTED, TOKEN, post, posted

_TOKEN: Final = TOKEN.encode()
_BEARER: Final = b"Authorization: Bearer " + _TOKEN
_WRONG: Final = b"Authorization: Bearer marked#wrong"
_OTHER: Final = b'"%s"' % OTHER_TOKEN.encode()
_NO_TOKEN: Final = posted(token=None)

_WRONG_TOKENS: Final = {
    "another": b'"marked#wrong"',
    "empty": b'""',
    "a space": b'" "',
    "one letter short": b'"%s"' % _TOKEN[:-1],
    "one letter long": b'"%sx"' % _TOKEN,
    "with a space after it": b'"%s "' % _TOKEN,
    "with a space before it": b'" %s"' % _TOKEN,
    "with a NUL after it": rb'"%s\u0000"' % _TOKEN,
    "in capitals": b'"%s"' % _TOKEN.upper(),
    "both, with their comma": b'"%s,%s"' % (_TOKEN, OTHER_TOKEN.encode()),
    "beyond ASCII": '"é\N{KEY}"'.encode(),
    "with its scheme": b'"Bearer %s"' % _TOKEN,
    "in other characters that look alike": '"m\u0430rked#token"'.encode(),
    "in an array": b'["%s"]' % _TOKEN,
    "in an object": b'{"token": "%s"}' % _TOKEN,
    "of 10,000 letters": b'"' + b"x" * 10_000 + b'"',
}
_NO_TOKENS: Final = (b"1", b"0", b"1.5", b"true", b"false", b"[]", b"{}", b'["marked#token"]')

CASES: Final = (
    *(
        Case(f"a token that is {what}", post(posted(token=token)), INVALID_TOKEN)
        for what, token in _WRONG_TOKENS.items()
    ),
    *(Case(f"the token {token!r}", post(posted(token=token)), INVALID_TOKEN) for token in (*_NO_TOKENS, b"null")),
    Case("no token", post(_NO_TOKEN), INVALID_TOKEN),
    Case("the second of two tokens, beyond ASCII", post(posted(token=_OTHER)), KEPT),
    Case("an escape in the token", post(posted(token=b'"%s"' % _TOKEN.replace(b"#", rb"\u0023"))), KEPT),
    Case("an escape in the token's name", post(posted().replace(b'"token"', rb'"t\u006fken"')), KEPT),
    Case("the token's name in capitals", post(posted().replace(b'"token"', b'"TOKEN"')), INVALID_TOKEN),
    Case("the token before the e-mail", post(b'{"token": "%s", "data": %s}' % (_TOKEN, EMAIL)), KEPT),
    Case("the token in the header", post(_NO_TOKEN, _BEARER), KEPT),
    Case(
        "the token in the header, beyond ASCII", post(_NO_TOKEN, b"Authorization: Bearer " + OTHER_TOKEN.encode()), KEPT
    ),
    Case("the token in the header and in the body", post(POSTED, _BEARER), KEPT),
    Case("the scheme in small letters", post(_NO_TOKEN, _BEARER.replace(b"Bearer", b"bearer")), KEPT),
    Case("the scheme in capitals", post(_NO_TOKEN, _BEARER.replace(b"Bearer", b"BEARER")), KEPT),
    Case("the header's name in small letters", post(_NO_TOKEN, _BEARER.replace(b"Auth", b"auth")), KEPT),
    Case("two spaces after the scheme", post(_NO_TOKEN, _BEARER.replace(b"Bearer ", b"Bearer  ")), KEPT),
    Case("the header wins where the body is wrong", post(posted(token=b'"marked#wrong"'), _BEARER), KEPT),
    Case("the header wins where the body is empty", post(posted(token=b'""'), _BEARER), KEPT),
    Case("the header wins where the header is wrong", post(POSTED, _WRONG), INVALID_TOKEN),
    Case("the header wins where the header is empty", post(POSTED, b"Authorization: Bearer "), INVALID_TOKEN),
    Case("the header wins where it is a scheme alone", post(POSTED, b"Authorization: Bearer"), INVALID_TOKEN),
    Case("null beside the header's token", post(posted(token=b"null"), _BEARER), KEPT),
    *(
        Case(f"{token!r} beside the header's token", post(posted(token=token), _BEARER), INVALID_TOKEN)
        for token in _NO_TOKENS
    ),
    Case("a tab after the scheme", post(_NO_TOKEN, _BEARER.replace(b"Bearer ", b"Bearer\t")), INVALID_TOKEN),
    Case("the token without a scheme", post(_NO_TOKEN, b"Authorization: " + _TOKEN), INVALID_TOKEN),
    Case("Basic in place of Bearer", post(_NO_TOKEN, b"Authorization: Basic " + _TOKEN), INVALID_TOKEN),
    Case("Basic, which leaves the body's token", post(POSTED, b"Authorization: Basic bWFya2VkIzp4"), KEPT),
    Case("an empty Authorization, which leaves the body's token", post(POSTED, b"Authorization:"), KEPT),
    Case("the token twice in one header", post(_NO_TOKEN, _BEARER + b", Bearer " + _TOKEN), INVALID_TOKEN),
    Case("two Authorization headers that are the same", post(_NO_TOKEN, _BEARER, _BEARER), INVALID_TOKEN),
    Case("two Authorization headers, the first one good", post(_NO_TOKEN, _BEARER, _WRONG), INVALID_TOKEN),
    Case("two Authorization headers, the last one good", post(_NO_TOKEN, _WRONG, _BEARER), INVALID_TOKEN),
    Case("Basic and Bearer", post(_NO_TOKEN, b"Authorization: Basic x", _BEARER), INVALID_TOKEN),
    Case("a long token in the header", post(POSTED, b"Authorization: Bearer " + b"x" * 50_000), INVALID_TOKEN),
    Case(
        "another encoding of the token in the header",
        post(_NO_TOKEN, b"Authorization: Bearer " + "marked#clé".encode("latin-1")),
        INVALID_TOKEN,
    ),
    Case(
        "the token in a header of another name",
        post(_NO_TOKEN, b"X-Token: " + _TOKEN, b"Proxy-" + _BEARER),
        INVALID_TOKEN,
    ),
    Case("the token in a cookie", post(_NO_TOKEN, b"Cookie: token=" + _TOKEN), INVALID_TOKEN),
    Case(
        "the token in the query",
        post(_NO_TOKEN).replace(b"/process_request", b"/process_request?token=marked%23token"),
        INVALID_TOKEN,
    ),
)
