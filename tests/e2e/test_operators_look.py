"""What an operator looks at: check, status and find over real services, and query, on one machine and on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkpoint.version import VERSION
from e2e.command_line import Ended, checkpoint, private_urls
from e2e.marked import body, marked
from e2e.on_aws import BUCKET
from e2e.one_machine import OneMachine
from e2e.posting import post_all
from e2e.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from e2e.on_aws import OnAWS
    from e2e.services import Services
    from e2e.worlds import World
    from emulator import Emulator

EMAILS = 20
QUERIED = 1_000  # 100,000 of them: bench/query.py
BY_SENDER = "SELECT email_sender AS sender, count(*) AS count FROM emails GROUP BY ALL ORDER BY ALL"


def test_the_command_line_answers_where_an_e_mail_is_and_whether_all_is_well(
    world: World, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*arguments: str) -> Ended:
        return checkpoint(world.environment | urls, *arguments)

    monkeypatch.chdir(tmp_path)
    intake, broker = services.intake(), services.broker()
    urls = private_urls(intake, broker)
    emails = [marked(number, timestream=number) for number in range(EMAILS)]
    post_all(intake.port, emails)
    until(lambda: world.waiting() == 0, "all are archived")

    checked = look("check")
    assert [line for line in checked.lines if line["ok"] is not True] == []
    assert checked.code == 0

    code, (found,) = look("status")
    assert code == 0, found
    assert found["intake"]["version"] == found["broker"]["version"] == VERSION
    assert found["intake"]["messages"] == found["broker"]["messages"] == EMAILS
    assert found["archive"]["objects"] == (EMAILS if isinstance(world, OneMachine) else None)

    timestream = str(emails[7]["email_timestream"])
    code, (archived,) = look("find", timestream)
    assert (code, archived["objects"]) == (0, [f"sqs_message_{timestream}.json"])

    world.put(body({"email_timestream": "99"}))
    until(lambda: world.waiting() == 0, "the bad one is dead-lettered")
    code, (found,) = look("status")
    assert (code, found["queue"]["dead_letters"]) == (1, 1)
    code, (dead,) = look("find", "99")
    assert (code, dead["objects"]) == (0, [])
    assert "email_content" in dead["dead_letters"][0]["reason"]

    broker.terminate()
    code, (found,) = look("status")
    assert (code, found["broker"]["error"]) == (1, "nothing listens there")
    post_all(intake.port, [marked(1, timestream=-5)])
    code, (waiting,) = look("find", str(marked(1, timestream=-5)["email_timestream"]))
    if isinstance(world, OneMachine):
        assert (code, waiting["queued"][0]["state"]) == (0, "waiting")
    else:
        assert (code, waiting["found"], waiting["problems"]) == (1, False, [])
        assert (
            sum(waiting["not_searched"].values()) == 1
        )  # in flight, where it came to the stopped broker's last receive


def test_a_query_counts_by_sender_in_files(tmp_path: Path) -> None:
    for number in range(QUERIED):
        (tmp_path / f"sqs_message_{number}.json").write_bytes(sent(number))
    code, rows = checkpoint({"ARCHIVE_URL": tmp_path.as_uri()}, "query", BY_SENDER)
    assert (code, rows) == (0, COUNTS)


def test_a_query_counts_by_sender_on_s3(on_aws: OnAWS, emulator: Emulator) -> None:
    for number in range(QUERIED):
        emulator.s3.put_object(Bucket=BUCKET, Key=f"pre fix/sqs_message_{number}.json", Body=sent(number))
    emulator.s3.put_object(Bucket=BUCKET, Key="pre fix/sqs_message_x.json", Body=b"\xff")
    emulator.s3.put_object(Bucket=BUCKET, Key="sqs_message_1.json", Body=sent(1))
    environment = on_aws.environment | {"ARCHIVE_URL": f"s3://{BUCKET}/pre fix"}
    code, rows = checkpoint(environment, "query", BY_SENDER)
    assert (code, rows) == (0, [*COUNTS, {"sender": None, "count": 1}])
    gone = on_aws.environment | {"ARCHIVE_URL": "s3://no-such-bucket"}
    assert checkpoint(gone, "query", BY_SENDER).code == 3


def sent(number: int) -> bytes:
    return body(marked(number, timestream=number) | {"email_sender": f"{number % 10}@example.org"})


COUNTS = [{"sender": f"{number}@example.org", "count": QUERIED // 10} for number in range(10)]
