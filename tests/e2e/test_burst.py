"""Crowds: exactly the expected objects, whatever shares a second or comes twice."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from e2e.marked import assert_exactly, marked
from e2e.posting import post_all
from e2e.waiting import until

if TYPE_CHECKING:
    from e2e.services import Services
    from e2e.worlds import World


def test_a_burst_of_2000_emails_becomes_exactly_the_expected_objects(world: World, services: Services) -> None:
    choice = random.Random(2000)
    emails = [marked(number, timestream=choice.randrange(700)) for number in range(2000)]
    posted_twice = choice.sample(emails, 200)
    posted = emails + posted_twice
    choice.shuffle(posted)
    intake = services.intake()
    services.broker()

    answers = post_all(intake.port, posted)

    assert [answer.status for answer in answers] == [200] * 2200
    until(lambda: world.waiting() == 0, "the queue is empty")
    assert_exactly(world.objects(), emails)
    assert world.dead_letters() == []


@pytest.mark.parametrize(("world", "count"), [("one_machine", 2000), ("on_aws", 500)], indirect=["world"])
def test_different_emails_of_one_second_are_as_many_objects_however_often_they_are_posted(
    world: World, services: Services, count: int
) -> None:
    emails = [marked(number) for number in range(count)]
    intake = services.intake()
    services.broker()

    for _ in range(2):
        answers = post_all(intake.port, emails)
        assert {answer.status for answer in answers} == {200}
        until(lambda: world.waiting() == 0, "the queue is empty")
        objects = world.objects()
        assert len(objects) == count
        assert "sqs_message_1706213694.json" in objects
        assert_exactly(objects, emails)
