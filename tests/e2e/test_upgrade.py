"""What an older version left, in its queue and in its archive, is carried on by this one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checkpoint.email import Email
from e2e.marked import md5
from e2e.waiting import until

if TYPE_CHECKING:
    from e2e.services import Services
    from e2e.worlds import World

OLD_QUEUE = Path(__file__).parents[1] / "contract" / "queue_version_0.sql"


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)
def test_each_email_of_an_old_queue_has_one_object_beside_those_of_an_old_archive(
    world: World, services: Services, tmp_path: Path
) -> None:
    archive = tmp_path / "data" / "archive"
    archive.mkdir(parents=True)
    with closing(sqlite3.connect(tmp_path / "data" / "queue.db")) as queue:
        queue.executescript(OLD_QUEUE.read_text())
        emails = [Email.read(body) for (body,) in queue.execute("SELECT body FROM messages ORDER BY id")]
    assert len(emails) >= 5
    plain = [next(email.names) for email in emails]
    assert len(set(plain)) == len(emails)
    other = emails[1].body.replace(b'"email_content": "', b'"email_content": "Another. ')
    (archive / plain[0]).write_bytes(emails[0].body)  # archived before, and never deleted from the queue
    (archive / plain[1]).write_bytes(other)  # another e-mail of that timestream

    services.broker()

    until(lambda: world.waiting() == 0, "the queue is empty")
    expected = {name: md5(email.body) for name, email in zip(plain, emails, strict=True)}
    expected[list(emails[1].names)[1]] = expected[plain[1]]
    expected[plain[1]] = md5(other)
    assert world.objects() == expected
    assert len(world.dead_letters()) == 2
