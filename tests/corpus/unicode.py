"""Text at the edges of Unicode, in JSON that is UTF-8 (RFC 8259, 7 and 8), and in what is not."""

from __future__ import annotations

from typing import Final

from corpus.answers import INVALID_JSON
from corpus.case import Case, kept
from corpus.raw_requests import POSTED, TOKEN, email, post, posted, text

# Strings that are queued as they were written, but for two characters, which SQS refuses.
_GOOD: Final = {
    "a character beyond the first plane": "\U0001f4e7".encode(),
    "the last character": "\U0010ffff".encode(),
    "a pair of surrogates as escapes": rb"\ud83d\udce7",
    "a pair of surrogates as escapes in capitals": rb"\uD83D\uDCE7",
    "an escaped NUL": rb"\u0000",
    "an escaped control character": rb"\u001f",
    "every short escape": rb"\"\\\/\b\f\n\r\t",
    "an escaped backslash before u": rb"\\ud800",
    "a delete character": b"\x7f",
    "a C1 control character": "\x80\x9f".encode(),
    "a byte order mark": "\ufeff".encode(),
    "line and paragraph separators": "\u2028\u2029".encode(),
    "a character joined from two": "e\u0301".encode(),
    "text from right to left": "\u202e\u05d0\u05d1".encode(),
    "a private character": "\ue000\U000f0000".encode(),
    "a character that is not assigned": "\u0378".encode(),
    "what is no character, escaped": rb"\ufffe\uffff\ufdd0",
    "what is no character beyond the first plane": "\U0001fffe\U0001ffff".encode(),
    "the last character before the surrogates": "\ud7ff".encode(),
    "the first character after the surrogates": "\ue000".encode(),
    "what would be UTF-7": b"+AGE-",
    "HTML": b"<script>alert(1)</script>",
    "a hundred marks upon one letter": b"a" + "\u0301".encode() * 100,
}
_NO_UTF_8: Final = {
    "a byte that is in no character": b"\xff",
    "a byte that begins nothing": b"\xfe",
    "half a character": b"\xc3",
    "a third of a character": b"\xe2\x82",
    "a continuation of nothing": b"\x80",
    "Latin-1": b"\xe9t\xe9",
    "a slash in two bytes": b"\xc0\xaf",
    "a NUL in two bytes": b"\xc0\x80",
    "a slash in three bytes": b"\xe0\x80\xaf",
    "a slash in four bytes": b"\xf0\x80\x80\xaf",
    "a quote in two bytes": b"\xc0\xa2",
    "a surrogate": b"\xed\xa0\x80",
    "a pair of surrogates": b"\xed\xa0\xbd\xed\xb3\xa7",
    "what would be beyond the last character": b"\xf4\x90\x80\x80",
    "a character of five bytes": b"\xf8\x88\x80\x80\x80",
    "a character of six bytes": b"\xfc\x84\x80\x80\x80\x80",
}
_BAD_ESCAPES: Final = {
    "a high surrogate alone": rb"\ud800",
    "a low surrogate alone": rb"\udc00",
    "a high surrogate at the end": rb"x\udbff",
    "two high surrogates": rb"\ud800\ud800",
    "surrogates in the wrong order": rb"\udc00\ud800",
    "a surrogate before a letter": rb"\ud800x",
    "a surrogate before another escape": rb"\ud800\n",
    "a surrogate before an escaped letter": rb"\ud83d\u0041",
    "an escape of two digits": rb"\x41",
    "an escape of three digits": rb"\u041",
    "an escape with a letter": rb"\u004g",
    "an escape with a sign": rb"\u+041",
    "an escape with a space": rb"\u 041",
    "an escape in capitals": rb"\U0041",
    "an escape of nothing": rb"\ ",
    "an escaped apostrophe": rb"\'",
    "an escape at the end": rb"x\u",
}
_RAW: Final = {"NUL": b"\0", "tab": b"\t", "line feed": b"\n", "carriage return": b"\r", "unit separator": b"\x1f"}
_FIELDS: Final = ("email_subject", "email_sender", "email_content")
_NONCHARACTERS: Final = email(email_subject=text("\ufffe\uffff".encode()))
_ESCAPED_NONCHARACTERS: Final = email(email_subject=text(rb"\ufffe\uffff"))
_WHOLE: Final = POSTED.decode()
_ESCAPED_NAME: Final = email().replace(b"email_subject", rb"email\u005fsubject")


def _with(value: bytes, field: str = "email_content") -> bytes:
    return post(posted(email(**{field: text(value)})))


CASES: Final = (
    *(
        Case(f"{what} in an e-mail", _with(value), kept(email(email_content=text(value))))
        for what, value in _GOOD.items()
    ),
    Case("characters that SQS refuses are escaped", post(posted(_NONCHARACTERS)), kept(_ESCAPED_NONCHARACTERS)),
    Case("an escape in a field's name", post(posted(_ESCAPED_NAME)), kept(_ESCAPED_NAME)),
    *(Case(f"{what} instead of UTF-8", _with(value), INVALID_JSON) for what, value in _NO_UTF_8.items()),
    *(Case(f"{what} in an e-mail", _with(value), INVALID_JSON) for what, value in _BAD_ESCAPES.items()),
    *(Case(f"a raw {what} in a string", _with(value), INVALID_JSON) for what, value in _RAW.items()),
    *(Case(f"a lone surrogate in {field}", _with(rb"\ud800", field), INVALID_JSON) for field in _FIELDS),
    *(Case(f"no UTF-8 in {field}", _with(b"\xff", field), INVALID_JSON) for field in _FIELDS),
    Case("a lone surrogate in a name", post(posted(email().replace(b"{", rb'{"\udfff": 1, ', 1))), INVALID_JSON),
    Case("a lone surrogate in the token", post(posted(token=text(rb"\ud800"))), INVALID_JSON),
    Case("a lone surrogate beside the e-mail", post(rb'{"x": "\ud800", ' + POSTED[1:]), INVALID_JSON),
    Case("no UTF-8 in the token", post(posted(token=b'"%s\xff"' % TOKEN.encode())), INVALID_JSON),
    Case("a byte order mark before a body", post(b"\xef\xbb\xbf" + POSTED), INVALID_JSON),
    Case("a byte order mark after a body", post(POSTED + b"\xef\xbb\xbf"), INVALID_JSON),
    Case("a space without a break before a body", post("\u00a0".encode() + POSTED), INVALID_JSON),
    *(
        Case(f"a body in {encoding}", post(_WHOLE.encode(encoding)), INVALID_JSON)
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-7", "cp037")
        if _WHOLE.encode(encoding) != POSTED
    ),
)
