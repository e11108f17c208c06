"""The pages for people: Swagger UI as npm has it, from this host only, and copies that browsers may keep."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from processing_requests.docs import files
from processing_requests.docs.files import documents
from processing_requests.http.documents import takes_gzip

if TYPE_CHECKING:
    from unit.processing_requests.intake import Intake

VENDORED: Final = Path(files.__file__).parent / "swagger_ui"
CONTENTS: Final[dict[str, Any]] = json.loads((VENDORED / "contents.json").read_bytes())
PATHS: Final = [path.decode() for path in documents()]
LONG: Final = [path for path in PATHS if CONTENTS["version"] in path]
OWN: Final = [path for path in PATHS if path not in LONG]


def content(name: str) -> bytes:
    path = VENDORED / name
    return path.read_bytes() if path.is_file() else gzip.decompress((VENDORED / f"{name}.gz").read_bytes())


def test_swagger_ui_and_its_licences_are_what_npms_package_holds_and_there_is_nothing_else() -> None:
    recorded = CONTENTS["sha256"]
    assert {"swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"} < recorded.keys()
    assert {name: hashlib.sha256(content(name)).hexdigest() for name in recorded} == recorded
    assert {name: len(content(name)) for name in CONTENTS["bytes"]} == CONTENTS["bytes"]
    there = {path.name.removesuffix(".gz") for path in VENDORED.iterdir()}
    assert there == recorded.keys() | {"contents.json"}


async def test_the_page_names_addresses_of_this_host_only_which_all_answer(intake: Intake) -> None:
    page = (await intake.request("GET", "/docs")).text
    assert not re.search(r"(?:https?:)?//", page)
    named = {address for address in re.findall(r'(?:href|src)="([^"]*)"', page) if address != "data:,"}
    assert {f"/{address}" for address in named} == set(PATHS) - {"/docs"}
    for address in named:
        assert (await intake.request("GET", f"/{address}")).status_code == 200


async def test_the_page_may_run_and_fetch_what_comes_from_this_host_and_be_in_no_frame(intake: Intake) -> None:
    page = await intake.request("GET", "/docs")
    policy = page.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert "unsafe" not in page.headers["content-security-policy"]
    assert re.findall(r"<script[^>]*>([^<]*)", page.text) == ["", ""]
    assert "<style" not in page.text


@pytest.mark.parametrize("path", PATHS)
async def test_a_document_is_what_its_type_says_and_nothing_of_it_is_told_to_others(intake: Intake, path: str) -> None:
    headers = (await intake.request("GET", path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", LONG)
async def test_what_has_its_version_in_its_address_is_kept_for_good(intake: Intake, path: str) -> None:
    headers = (await intake.request("GET", path)).headers
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", OWN)
async def test_what_has_not_is_asked_for_again_each_time(intake: Intake, path: str) -> None:
    assert (await intake.request("GET", path)).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
async def test_who_has_a_document_is_told_that_it_has_not_changed(intake: Intake, path: str, method: str) -> None:
    first = await intake.request("GET", path)
    tag = first.headers["etag"]
    for named in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await intake.request(method, path, headers={"If-None-Match": named})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == first.headers["cache-control"]
        assert "content-length" not in again.headers  # RFC 9110, 8.6: it would be the document's
    assert (await intake.request(method, path, headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize("path", LONG)
async def test_each_coding_has_a_tag_of_its_own(intake: Intake, path: str) -> None:
    tags = [
        (await intake.request("HEAD", path, headers={"Accept-Encoding": coding})).headers["etag"]
        for coding in ("gzip", "identity")
    ]
    assert len(set(tags)) == 2
    crossed = {"Accept-Encoding": "gzip", "If-None-Match": tags[1]}
    assert (await intake.request("GET", path, headers=crossed)).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        (b"gzip, deflate, br, zstd", True),
        (b"GZIP", True),
        (b"br;q=1.0, gzip;q=0.2", True),
        (b"*", True),
        (b"x-gzip", True),
        (b"*;q=0, gzip", True),
        (b"", False),
        (b"identity", False),
        (b"br", False),
        (b"gzip;q=0", False),
        (b"gzip; q=0.000", False),
        (b"gzip;q=0, *", False),
        (b"*;q=0.0", False),
        (b",;,", False),
    ],
)
def test_gzip_is_sent_to_who_says_that_it_takes_it(accepted: bytes, *, takes: bool) -> None:
    assert takes_gzip(accepted) is takes


@pytest.mark.parametrize("path", PATHS)
async def test_it_can_be_read_and_nothing_else(intake: Intake, path: str) -> None:
    whole, of_head = [await intake.request(method, path) for method in ("GET", "HEAD")]
    assert (of_head.status_code, of_head.content) == (200, b"")
    assert {name: value for name, value in of_head.headers.items() if name != "date"} == {
        name: value for name, value in whole.headers.items() if name != "date"
    }
    response = await intake.request("POST", path)
    assert (response.status_code, response.content) == (405, b'{"error": "Method Not Allowed"}')
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}
