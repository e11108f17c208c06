"""The command line with real services: posted with receipts, archived by the broker, reconciled, replayed."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checkpoint.archive.adapters import open_archive
from checkpoint.email import Email
from e2e.marked import SECRETS, assert_exactly, body, marked, md5
from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from e2e.services import Services
    from e2e.worlds import World

    Checkpoint = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkpoint(world: World, tmp_path: Path) -> Checkpoint:
    """Runs the program in the world; what it prints holds nobody's e-mail and no token."""

    def run(*arguments: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            [str(Path(sys.executable).with_name("checkpoint")), *arguments],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | world.environment | environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not [secret for secret in SECRETS if secret in ended.stdout + ended.stderr]
        return ended

    return run


def lines(emails: Sequence[dict[str, Any]]) -> str:
    """Of both forms that a line may have."""
    given = [data if number % 2 else {"data": data} for number, data in enumerate(emails)]
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in given)


def last_line(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)  # test_operating.py reconciles on AWS, too
def test_what_was_posted_is_reconciled_and_an_object_that_is_removed_is_named(
    world: World, services: Services, checkpoint: Checkpoint
) -> None:
    count = 1_000
    emails = [marked(number, timestream=number // 3) for number in range(count)]
    intake = services.intake()
    url = f"http://127.0.0.1:{intake.port}"
    faulty = '{"data": {"email_subject": "marked#"}}\n'

    posted = checkpoint("post", "-", "--receipts", "r.jsonl", "--json", given=lines(emails) + faulty, INTAKE_URL=url)
    assert posted.returncode == 1, posted.stderr
    refused, summary = [json.loads(line) for line in posted.stdout.splitlines()]
    assert (refused["place"], refused["outcome"]) == (f"-:{count + 1}", "refused")
    assert refused["reason"].startswith("400 Invalid date format or fields: email_sender is missing.")
    assert (summary["confirmed"], summary["refused"]) == (count, 1)

    early = checkpoint("reconcile", "r.jsonl", "--json")
    assert early.returncode == 3, early.stderr  # nobody has made the directory yet
    services.broker()
    until(lambda: world.waiting() == 0, "the queue is empty")
    clean = checkpoint("reconcile", "r.jsonl", "--json", "--wait", "30")
    assert (clean.returncode, clean.stderr) == (0, "")
    assert last_line(clean)["archived"] == last_line(clean)["objects"] == count
    assert_exactly(world.objects(), emails)

    removed = "sqs_message_1706213700.json"
    world.remove(removed)
    found = checkpoint("reconcile", "r.jsonl", "--json")
    assert found.returncode == 1
    [missing, summary] = [json.loads(line) for line in found.stdout.splitlines()]
    assert (missing["finding"], missing["names"][0]) == ("missing", removed)
    assert (summary["missing"], summary["archived"], summary["changed"]) == (1, count - 1, 0)


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)
def test_an_archive_is_replayed_to_another_machine_whose_archive_ends_with_the_same_objects(
    services: Services, checkpoint: Checkpoint, world: World, tmp_path: Path
) -> None:
    emails = [marked(number, timestream=number // 3) for number in range(60)]
    first = tmp_path / "first"
    first.mkdir()
    put_all(first, emails)
    to = f"http://127.0.0.1:{services.intake(TOKEN='the others').port}"
    services.broker()

    replayed = checkpoint("replay", "--to", to, "--json", ARCHIVE_URL=first.as_uri(), TOKEN="the others")
    assert (replayed.returncode, last_line(replayed)["confirmed"]) == (0, 60), replayed.stderr
    until(lambda: len(world.objects()) == 60, "all are archived again")
    assert sorted(world.objects().values()) == sorted(md5(path.read_bytes()) for path in first.glob("*.json"))
    assert_exactly(world.objects(), emails)


def put_all(directory: Path, emails: Sequence[dict[str, Any]]) -> None:
    """As a broker does."""

    async def put() -> None:
        async with open_archive(directory.as_uri()) as archive:
            for each in emails:
                await archive.put(Email.read(body(each)))

    asyncio.run(put())
