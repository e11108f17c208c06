"""The e-mail's four fields: of wrong types, at their edges, and with what would lead elsewhere as a path."""

from __future__ import annotations

import time
from typing import Final

from corpus.answers import INVALID_FIELDS
from corpus.case import Case, kept
from corpus.raw_requests import EMAIL, email, post, posted, text, without

_TEXTS: Final = ("email_subject", "email_sender", "email_content")
_FIELDS: Final = (*_TEXTS, "email_timestream")
_NO_TEXTS: Final = (b'""', b"null", b"true", b"1", b"1.5", b"[]", b'["marked#"]', b"{}")
_PATHS: Final = (
    *(b"../../../etc/passwd", b"/etc/passwd", b"..", b".", b"%2e%2e%2f", b"%00", rb"\u0000", rb"..\\..\\x", rb"C:\\x"),
    *(b"a/b", rb"a\/b", b"file:///etc/passwd", b"s3://bucket/key", b"x.json", b"x\\ny", b"$(id)", b"`id`", b"{{7*7}}"),
    *(b"'; DROP TABLE messages; --", b"%s%n", b"${jndi:ldap://x}", rb"\r\nX-Further: x", b"x" * 5000),
)
_NOW: Final = int(time.time())

# As JSON. The object's name is made of a timestream: whatever is not plain digits must not pass.
_TIMESTREAMS: Final = (
    *(b"0", b'"0"', b"1", b'"1"', b'"00000000000000000000"', b'"00000000000000000001"', b'"0001706213694"'),
    *(b"1706213694.0", b"16103.0", b"1.6e4", b"1.6E+4", b"160e-1", b"0.0", b"0e5"),
)
_IN_A_MINUTE: Final = (b"%d" % (_NOW + 60), b'"%d"' % (_NOW + 60))
_IN_A_DAY: Final = (b"%d" % (_NOW + 86_400), b'"%d"' % (_NOW + 86_400))
_NO_TIMESTREAMS: Final = (
    *(b'"99999999999999999999"', b"99999999999999999999"),
    *(b'"000000000000000000001"', b'"100000000000000000000"', b"100000000000000000000", b"1e20", b"1e300", b"1" * 100),
    *(b"-1", b'"-1"', b'"-0"', b'"+1"', b"-1706213694", b"-1.0", b"1.5", b"1706213694.5", b"1e-1", b'"1.0"', b'"1e5"'),
    *(b'""', b'" "', b'" 1"', b'"1 "', b'"1 706"', b'"1,706"', b'"1_706"', b'"0x1"', b'"one"', b'"1.json"'),
    *('"\u0661"'.encode(), '"\uff11"'.encode(), '"\u00b2"'.encode(), '"\u0967"'.encode(), rb'"\u0661"'),
    *(rb'"1\u0000"', rb'"\u00001"', rb'"1\n"', rb'"\n1"', rb'"1\r"', rb'"1\t"', rb'"1\u200b"', rb'"\ufeff1"'),
    *(b'"../1"', b'"1/../2"', b'"1/2"', b'"/1"', b'"1/"', rb'"1\\2"', b'"%31"', b'"1%2f2"', b'".."', b'"."', b'"1*"'),
    *(b"null", b"true", b"false", b"[]", b"[1]", b'["1"]', b"{}", b'{"1": 1}', b'"2024-01-25T20:14:54Z"', b'"NaN"'),
    b'"' + b"1" * 5000 + b'"',
)
_NO_EMAILS: Final = (b"null", b"true", b"1", b'"marked#"', b"[]", b"{}", b"[" + EMAIL + b"]", text(b"{}"))


def _email(**members: bytes) -> bytes:
    return post(posted(email(**members)))


CASES: Final = (
    *(
        Case(f"{path[:40]!r} in {name}", _email(**{name: text(path)}), kept(email(**{name: text(path)})))
        for name in _TEXTS
        for path in _PATHS
    ),
    *(Case(f"{value!r} as {name}", _email(**{name: value}), INVALID_FIELDS) for name in _TEXTS for value in _NO_TEXTS),
    *(Case(f"no {name}", post(posted(without(name))), INVALID_FIELDS) for name in _FIELDS),
    *(
        Case(f"the timestream {value!r}", _email(email_timestream=value), kept(email(email_timestream=value)))
        for value in _TIMESTREAMS
    ),
    *(
        Case(f"the timestream {value[:30]!r} is none", _email(email_timestream=value), INVALID_FIELDS)
        for value in _NO_TIMESTREAMS
    ),
    # Their titles leave the time out: processes that share the tests among them must give each the same name.
    *(
        Case(f"a timestream in a minute, {kind}", _email(email_timestream=value), kept(email(email_timestream=value)))
        for kind, value in zip(("number", "string"), _IN_A_MINUTE, strict=True)
    ),
    *(
        Case(f"a timestream in a day, {kind}", _email(email_timestream=value), INVALID_FIELDS)
        for kind, value in zip(("number", "string"), _IN_A_DAY, strict=True)
    ),
    Case(
        "the timestream -0, which is an integer to JSON and no digits to a name",
        _email(email_timestream=b"-0"),
        kept(email(email_timestream=b"-0")),
        or_answers=INVALID_FIELDS,
    ),
    Case(
        "the timestream -0.0, which is an integer to JSON Schema and no digits to a name",
        _email(email_timestream=b"-0.0"),
        kept(email(email_timestream=b"-0.0")),
        or_answers=INVALID_FIELDS,
    ),
    *(Case(f"{value[:24]!r} as the e-mail", post(posted(value)), INVALID_FIELDS) for value in _NO_EMAILS),
    Case("no e-mail", post(b"{" + posted()[posted().index(b'"token"') :]), INVALID_FIELDS),
    Case("an e-mail under another name", post(posted().replace(b'"data"', b'"Data"')), INVALID_FIELDS),
    Case("fields in capitals", post(posted().replace(b"email_subject", b"EMAIL_SUBJECT")), INVALID_FIELDS),
    Case(
        "a further member of every kind",
        _email(x=b'[null, true, 1.5, {"y": ""}]'),
        kept(email(x=b'[null, true, 1.5, {"y": ""}]')),
    ),
    Case("a further member that looks like Python's own", _email(__class__=b'"x"'), kept(email(__class__=b'"x"'))),
    Case("a token in the e-mail is a further member", _email(token=b'"marked#"'), kept(email(token=b'"marked#"'))),
)
