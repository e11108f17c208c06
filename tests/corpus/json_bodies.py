"""Bodies that are not one JSON object, or an odd one: depth, numbers, names that stand twice (RFC 8259)."""

from __future__ import annotations

from typing import Final

from corpus.answers import INVALID_FIELDS, INVALID_JSON, INVALID_TOKEN, KEPT
from corpus.case import Case, kept
from corpus.raw_requests import EMAIL, POSTED, TOKEN, email, post, posted, text

_TOKEN: Final = b'"%s"' % TOKEN.encode()
_NO_OBJECTS: Final = (
    *(b"", b" ", b"\r\n\t ", b"{", b"}", b"[]", b"[{}]", b"1", b"-1", b'"marked#"', b"null", b"true", b"false", b"NaN"),
    *(b"marked#", b"{} {}", b"{},", b"{'data': 1}", b'{"data": 1,}', b"{,}", b"{data: 1}", b'{"data"}', b'{"data":}'),
    *(b'{"data": 1 "token": 2}', b'{"data" 1}', b"{1: 2}", b"\0", b"{}\0", b"\0{}", b"data=marked%23&token=marked%23"),
    *(
        b'{"data": 1}x',
        b"/* marked# */ {}",
        b"{} // marked#",
        b"<data>marked#</data>",
        b"---\ndata: marked#",
        b"{\x0c}",
    ),
    *(b'{"data": tru}', b'{"data": True}', b'{"data": undefined}', b'{"data": nul', b'{"data": "marked#'),
)
_NO_NUMBERS: Final = (
    *(b"NaN", b"Infinity", b"-Infinity", b"nan", b"1e999", b"-1e999", b"1" * 5000, b"01", b"-01", b"+1", b".5", b"1."),
    *(b"1e", b"1e+", b"0x10", b"1_000", b"--1", b"-", b"1,5", "٣".encode(), b"1e5.5", b"0b1", b"1f", b"1n"),
)
_NUMBERS: Final = (
    *(b"0", b"-0", b"-0.0", b"1.10", b"1E5", b"1e+5", b"1e-5", b"1e-999", b"1e308", b"18446744073709551616"),
    *(b"9" * 100, b"1" * 4000, b"-" + b"9" * 300, b"0." + b"3" * 1000, b"5e-324"),
)
_DOUBLED: Final = {
    "a field": EMAIL[:-1] + b', "email_subject": "marked#"}',
    "a field, with the same value": EMAIL[:-1] + b', "email_timestream": "1706213694"}',
    "a field, once with an escape": EMAIL[:-1] + rb', "email\u005fsubject": "marked#"}',
    "a further member": email(further=b'1, "further": 2'),
    "an empty name": EMAIL[:-1] + b', "": 1, "": 2}',
    "a member of an object in it": email(further=b'{"a": 1, "a": 1}'),
    "a member of an object in an array in it": email(further=b'[[{"a": {"b": ":"}, "a": 1}]]'),
    "a member far down": email(further=b'{"a": ' * 20 + b'{"b": 1, "b": 2}' + b"}" * 20),
    "a member among colons": email(further=rb'{"a:": ":\u003a", "a": ":", "\u0061": 1}'),
}


def _nested(containers: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """An e-mail with so many containers within one another, itself the second."""
    return email(further=opening * (containers - 2) + b"1" + closing * (containers - 2))


_DEEP: Final = tuple(
    Case(f"{depth} {kind} within one another", post(posted(_nested(depth, *brackets))), INVALID_JSON)
    for depth in (65, 66, 1000, 10_000, 100_000)
    for kind, brackets in {"arrays": (b"[", b"]"), "objects": (b'{"a":', b"}")}.items()
)

CASES: Final = (
    *(Case(f"the body {body[:24]!r}", post(body), INVALID_JSON) for body in _NO_OBJECTS),
    *(Case(f"the number {raw[:24]!r} is none", post(posted(email(n=raw))), INVALID_JSON) for raw in _NO_NUMBERS),
    *(Case(f"the number {raw[:24]!r}", post(posted(email(n=raw))), kept(email(n=raw))) for raw in _NUMBERS),
    Case("a body that lacks its last brace", post(POSTED[:-1]), INVALID_JSON),
    Case("a body with a brace too many", post(POSTED + b"}"), INVALID_JSON),
    Case("a body twice", post(POSTED * 2), INVALID_JSON),
    Case("an empty object", post(b"{}"), INVALID_TOKEN),
    Case("an array of what is posted", post(b"[" + POSTED + b"]"), INVALID_JSON),
    Case("an e-mail without what is around it", post(EMAIL), INVALID_TOKEN),
    Case("64 arrays within one another", post(posted(_nested(64))), kept(_nested(64))),
    Case("64 objects within one another", post(posted(_nested(64, b'{"a":', b"}"))), kept(_nested(64, b'{"a":', b"}"))),
    *_DEEP,
    Case("65 containers beside the e-mail", post(b'{"x": ' + b"[" * 64 + b"]" * 64 + b", " + POSTED[1:]), INVALID_JSON),
    Case("64 containers beside the e-mail", post(b'{"x": ' + b"[" * 63 + b"]" * 63 + b", " + POSTED[1:]), KEPT),
    Case("65 containers that never end", post(b"[" * 65), INVALID_JSON),
    Case("1,000,000 brackets that never end", post(b"[" * 1_000_000), INVALID_JSON),
    Case("1,000,000 braces that never end", post(b'{"":' * 250_000), INVALID_JSON),
    Case("1,000 brackets in text", post(posted(email(n=text(b"[{" * 500)))), kept(email(n=text(b"[{" * 500)))),
    Case(
        "1,000 arrays side by side",
        post(posted(email(n=b"[" + b"[]," * 999 + b"[]]"))),
        kept(email(n=b"[" + b"[]," * 999 + b"[]]")),
    ),
    Case(
        "300,000 values",
        post(posted(email(n=b"[" + b"0," * 299_999 + b"0]"))),
        kept(email(n=b"[" + b"0," * 299_999 + b"0]")),
    ),
    Case("600,000 values", post(posted(email(n=b"[" + b"0," * 599_999 + b"0]"))), INVALID_JSON),
    Case("600,000 values beside the e-mail", post(b'{"x": [' + b"0," * 599_999 + b"0], " + POSTED[1:]), INVALID_JSON),
    *(Case(f"{what} that stands twice", post(posted(data)), INVALID_FIELDS) for what, data in _DOUBLED.items()),
    Case(
        "the same name in two objects",
        post(posted(email(n=b'[{"a": 1}, {"a": 1}]'))),
        kept(email(n=b'[{"a": 1}, {"a": 1}]')),
    ),
    Case("names that differ by case", post(posted(email(N=b"1", n=b"2"))), kept(email(N=b"1", n=b"2"))),
    Case(
        "two tokens, the last of which is good",
        post(b'{"token": "wrong", "data": ' + EMAIL + b', "token": ' + _TOKEN + b"}"),
        KEPT,
    ),
    Case(
        "two tokens, the last of which is wrong",
        post(b'{"token": ' + _TOKEN + b', "data": ' + EMAIL + b', "token": "wrong"}'),
        INVALID_TOKEN,
    ),
    Case(
        "two e-mails, the last of which is good",
        post(b'{"data": [], "data": ' + EMAIL + b', "token": ' + _TOKEN + b"}"),
        KEPT,
    ),
    Case(
        "two e-mails, the last of which is none",
        post(b'{"data": ' + EMAIL + b', "data": [], "token": ' + _TOKEN + b"}"),
        INVALID_FIELDS,
    ),
    Case("a name that stands twice beside the e-mail", post(b'{"x": {"a": 1, "a": 2}, "x": 1, ' + POSTED[1:]), KEPT),
    Case("no JSON is said before a wrong token", post(posted(token=b'"wrong"')[:-1]), INVALID_JSON),
    Case("a wrong token is said before wrong fields", post(posted(b"[]", token=b'"wrong"')), INVALID_TOKEN),
    Case(
        "line breaks between tokens become spaces",
        post(posted(EMAIL.replace(b", ", b",\r\n"))),
        kept(EMAIL.replace(b", ", b",  ")),
    ),
    Case(
        "no spaces at all",
        post(posted(EMAIL).replace(b", ", b",").replace(b": ", b":")),
        kept(EMAIL.replace(b", ", b",").replace(b": ", b":")),
    ),
)
