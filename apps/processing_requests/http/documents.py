"""Documents that do not change while the process runs, with what a browser needs to keep a copy of them."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

from processing_requests.http.long_body import LongBody
from processing_requests.http.response import Response, make, start_of
from processing_requests.http.routes import WithoutBody

if TYPE_CHECKING:
    from collections.abc import Mapping

    from processing_requests.http.request import Request


@dataclass(frozen=True, slots=True)
class Representation:
    """A document in one coding. entity_tag: with its quotes. response: the whole. not_modified: to who has it."""

    entity_tag: bytes
    response: Response
    not_modified: Response

    @classmethod
    def short(cls, media_type: str, content: bytes, tag: str, headers: Mapping[str, str]) -> Self:
        """One that is sent in one piece. tag: as `document` has it."""
        headers = {"ETag": f'"{tag}"', **headers}
        return cls(headers["ETag"].encode(), make(200, media_type, content, headers), _not_modified(headers))

    @classmethod
    def long(cls, media_type: str, body: LongBody, size: int, tag: str, headers: Mapping[str, str]) -> Self:
        """One that is sent in parts. size: of what is sent, in bytes."""
        headers = {"ETag": f'"{tag}"', "Vary": "Accept-Encoding", **headers}
        coding = {} if body.decompresses else {"Content-Encoding": "gzip"}
        about = {"Content-Type": media_type, "Content-Length": str(size)}
        response = Response(200, start_of(200, about | coding | headers), b"", long_body=body)
        return cls(headers["ETag"].encode(), response, _not_modified(headers))


class Document(WithoutBody):
    """A document, and how it is sent to who takes gzip, if that is another way."""

    def __init__(self, plain: Representation, compressed: Representation | None = None) -> None:
        self._plain = plain
        self._compressed = compressed

    def begin(self, request: Request) -> Response:
        """As `Route` says: the document, or that the client has it (RFC 9110, 13.1.2)."""
        fields, sent = request.fields, self._plain
        if self._compressed is not None and takes_gzip(fields.get(b"accept-encoding", b"")):
            sent = self._compressed
        return sent.not_modified if _names(fields.get(b"if-none-match", b""), sent.entity_tag) else sent.response


def document(media_type: str, content: bytes, tag: str, headers: Mapping[str, str]) -> Document:
    """A short one. tag: what no other content of this address has, in ASCII. headers: the further ones."""
    return Document(Representation.short(media_type, content, tag, headers))


def long_document(media_type: str, compressed: bytes, size: int, tag: str, headers: Mapping[str, str]) -> Document:
    """A long one, which is held compressed by gzip only. size: decompressed, in bytes. tag, headers: as above."""
    return Document(
        Representation.long(media_type, LongBody(compressed, decompresses=True), size, tag, headers),
        Representation.long(
            media_type, LongBody(compressed, decompresses=False), len(compressed), f"{tag}-gzip", headers
        ),
    )


def takes_gzip(accepted: bytes) -> bool:
    """Whether a client says that it does (RFC 9110, 12.5.3).

    Of one that says nothing it is not assumed, though the RFC allows that: who knows gzip says so.
    accepted: the value of Accept-Encoding, empty where there is none.
    """
    qualities = {}
    for each in accepted.lower().split(b","):
        coding, _, parameter = each.partition(b";")
        name, _, value = parameter.partition(b"=")
        # 0, 0.0, 0.00 and 0.000 are the ways to say no.
        qualities[coding.strip()] = not (name.strip() == b"q" and not value.strip().strip(b"0."))
    named = [qualities[coding] for coding in (b"gzip", b"x-gzip", b"*") if coding in qualities]
    return bool(named) and named[0]


def _names(tags: bytes, tag: bytes) -> bool:
    """Whether If-None-Match names an entity tag, by the weak comparison; no tag of ours has a comma in it."""
    return bool(tags) and (tags == b"*" or tag in {each.strip().removeprefix(b"W/") for each in tags.split(b",")})


def _not_modified(headers: Mapping[str, str]) -> Response:
    return Response(HTTPStatus.NOT_MODIFIED, start_of(HTTPStatus.NOT_MODIFIED, headers), b"")
