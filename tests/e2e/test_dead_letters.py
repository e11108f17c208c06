"""Anyone may write to a queue: what is no e-mail harms only itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from e2e.marked import MARK, assert_exactly, body, marked
from e2e.posting import post_all
from e2e.waiting import until

if TYPE_CHECKING:
    from e2e.services import Services
    from e2e.worlds import World


def test_a_message_that_is_no_email_is_dead_lettered_with_its_reason_and_its_neighbours_are_archived(
    world: World, services: Services
) -> None:
    not_json = f"{MARK} anything".encode()
    not_an_object = json.dumps([f"{MARK} anything"]).encode()
    no_content = body({name: value for name, value in marked(0).items() if name != "email_content"})
    emails = [marked(number, timestream=number) for number in range(20)]
    intake = services.intake()
    post_all(intake.port, emails[:10])
    for bad in (not_json, not_an_object, no_content):
        world.put(bad)
    post_all(intake.port, emails[10:])

    broker = services.broker()

    until(lambda: world.waiting() == 0, "the queue is empty")
    assert_exactly(world.objects(), emails)
    reasons = dict(world.dead_letters())
    assert set(reasons) == {not_json, not_an_object, no_content}
    assert "JSON" in reasons[not_json]
    assert "object" in reasons[not_an_object]
    assert "email_content" in reasons[no_content]
    logged = [event["reason"] for event in broker.events if event["event"] == "message_dead_lettered"]
    assert sorted(logged) == sorted(reasons.values())
    assert broker.is_ready()
