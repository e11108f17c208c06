"""An object is what was posted, byte for byte and however long, through real processes."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from e2e.marked import body, marked, md5
from e2e.posting import post, post_email
from e2e.waiting import until
from stubs.processes import process
from stubs.sqs import SQSStub

if TYPE_CHECKING:
    from e2e.services import Services
    from e2e.worlds import World

NAME = "sqs_message_1706213694.json"
WRITTEN_ODDLY = (
    json.dumps(marked(0))[:-1].encode()
    + b', "n": 1.10, "e": 1e2, "x": "caf\\u00e9", "slash": "\\/", "nested": [ {"b" :\t1,\r\n'
    b'"a": -0.0}], "big": 123456789012345678901234567890}'
)


def test_an_object_has_the_spelling_of_what_was_posted(world: World, services: Services) -> None:
    intake = services.intake()
    services.broker()

    answer = post(intake.port, b'{"before": 1.0, "data": ' + WRITTEN_ODDLY + b' , "token": "foobar"}')

    assert answer.status == 200
    until(lambda: NAME in world.objects(), "the e-mail is archived")
    expected = WRITTEN_ODDLY.replace(b"\r\n", b"  ")
    assert world.read(NAME) == expected
    assert answer.headers["X-Message-Id"] == sha256(expected).hexdigest()


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)
def test_a_timestream_that_is_a_number_keeps_its_spelling_and_names_the_object_by_its_digits(
    world: World, services: Services
) -> None:
    email = json.dumps(marked(0)).replace('"1706213694"', "1.6e4").encode()
    intake = services.intake()
    services.broker()

    assert post(intake.port, b'{"data": %s, "token": "foobar"}' % email).status == 200

    until(lambda: world.objects() == {"sqs_message_16000.json": md5(email)}, "the e-mail is archived")


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)
def test_five_mebibytes_go_through_without_a_setting(world: World, services: Services) -> None:
    email = marked(0) | {"email_content": "ü" * (5 * 2**20 // 2)}
    intake = services.intake()
    services.broker()

    assert post_email(intake.port, email).status == 200

    until(lambda: world.objects() == {NAME: md5(body(email))}, "the long e-mail is archived")
    until(lambda: world.waiting() == 0, "the queue is empty")


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)
def test_an_sqs_queue_that_takes_a_mebibyte_is_given_300_kb_and_a_longer_request_is_refused_by_name(
    world: World, services: Services
) -> None:
    email = marked(0) | {"email_content": "x" * 300_000}
    with process("stubs.sqs", "--maximum-message-size", "1048576") as queue_url:
        aws = SQSStub().environment | {"AWS_ENDPOINT_URL": queue_url.rpartition("/000000000000")[0]}
        intake = services.intake(QUEUE_URL=queue_url, **aws)
        services.broker(QUEUE_URL=queue_url, **aws)

        assert post_email(intake.port, email).status == 200
        refused = post_email(intake.port, email | {"email_content": "x" * 1_100_000})

        assert (refused.status, json.loads(refused.body)["max_bytes"]) == (413, 1_048_576)
        until(lambda: world.objects() == {NAME: md5(body(email))}, "the e-mail is archived, and no other")
