"""kill -9, at the worst moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.marked import assert_exactly, body, endless, marked, md5
from e2e.posting import Load, post_all, post_email
from e2e.waiting import until

if TYPE_CHECKING:
    from e2e.services import Services
    from e2e.worlds import World


def test_a_broker_killed_in_the_middle_of_a_drain_leaves_each_email_as_one_object(
    world: World, services: Services
) -> None:
    emails = [marked(number, timestream=number // 4) for number in range(2000)]
    intake = services.intake()
    assert {answer.status for answer in post_all(intake.port, emails)} == {200}

    for some in (1, 300, 900):
        broker = services.start("message_broker", VISIBILITY_SECONDS="3")
        until(lambda some=some: len(world.objects()) >= some, f"{some} are archived")  # type: ignore[misc]
        broker.kill()
        assert len(world.objects()) < 2000, "it was too quick to be killed in the middle"
    services.broker(VISIBILITY_SECONDS="3")

    until(lambda: world.waiting() == 0, "the queue is empty")
    assert_exactly(world.objects(), emails)
    assert world.dead_letters() == []


def test_every_email_answered_200_outlives_an_intake_that_is_killed_under_load(
    world: World, services: Services
) -> None:
    intake = services.intake()
    services.broker()

    with Load(intake.port, endless()) as load:
        until(lambda: len(load.answers) >= 500, "500 e-mails are answered")
        intake.kill()
    last = marked(1_000_000, timestream=-1)
    assert post_email(services.intake(PORT=str(intake.port)).port, last).status == 200

    until(lambda: world.waiting() == 0, "the queue is empty")
    objects = world.objects()
    archived = [data for data in [*load.posted, last] if md5(body(data)) in objects.values()]
    assert_exactly(objects, archived)
    assert [data for data in [*load.kept, last] if data not in archived] == []
