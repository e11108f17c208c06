"""An operator's day: e-mails are posted, found, dead-lettered, redriven, and compared with their receipts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from checkpoint.email import Email
from command_line.application import application
from e2e.marked import MARK, body, marked
from e2e.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.services import Service, Services
    from e2e.worlds import World

NO_EMAILS = (f"{MARK} no JSON".encode(), b"[1]", json.dumps({"email_subject": MARK}).encode())


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody with the command line, in the directory of the services. environment: the settings."""

    environment: dict[str, str]

    def does(self, *arguments: str | Path, code: int = 0) -> list[dict[str, Any]]:
        """Run a command with --json, which must end with the code; gives what it printed."""
        ended = CliRunner().invoke(application, [*map(str, arguments), "--json"], env=self.environment)
        assert ended.exit_code == code, (arguments, ended.output, ended.exception)
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def depth(self) -> tuple[int, int]:
        """Messages on the queue, hidden ones too, and dead letters."""
        ended = CliRunner().invoke(application, ["status", "--json"], env=self.environment)
        queue = json.loads(ended.stdout)["queue"]
        return queue["waiting"] + queue["in_flight"], queue["dead_letters"]

    def states(self, email: Email) -> list[str]:
        """Where `find` says that an e-mail is."""
        found = self.does("find", email.timestream, email.identity)
        objects = ["archived" for each in found for _ in each["objects"]]
        queued = [one["state"] for each in found for one in each["queued"]]
        return objects + queued + ["dead-lettered" for each in found for _ in each["dead_letters"]]


@pytest.fixture
def intake(services: Services) -> Service:
    return services.intake()


@pytest.fixture
def operator(world: World, intake: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.chdir(tmp_path)  # where the services were started, for the default queue and archive
    return Operator(
        world.environment
        | {
            "INTAKE_URL": f"http://127.0.0.1:{intake.port}",
            "INTAKE_PRIVATE_URL": f"http://127.0.0.1:{intake.private_port}",
        }
    )


@pytest.mark.parametrize("count", [150, pytest.param(10_000, marks=pytest.mark.measures)])
def test_each_email_is_found_wherever_it_is_and_what_was_dead_lettered_is_redriven(
    world: World, services: Services, operator: Operator, tmp_path: Path, count: int
) -> None:
    emails = [Email.read(body(marked(number, timestream=number // 3))) for number in range(count)]
    held_up = [Email.read(body(marked(count + number, timestream=count + number))) for number in range(2)]
    lines, receipts = tmp_path / "emails.jsonl", tmp_path / "receipts.jsonl"
    lines.write_bytes(b"\n".join(email.body for email in emails))

    operator.does("post", lines, "--receipts", receipts)
    for bad in NO_EMAILS:
        world.put(bad)
    for email in held_up:
        for name in email.names:
            world.plant(name, b"somebody else's")
        world.put(email.body)
    if world.is_searchable:
        assert operator.states(emails[0]) == ["waiting"]
    else:
        [told] = operator.does("find", emails[0].timestream, emails[0].identity, code=1)
        assert (told["found"], told["problems"]) == (False, [])
        assert told["not_searched"] == {"waiting": count + 5, "in_flight": 0}
    operator.does("reconcile", receipts, code=1)

    broker = services.broker()
    operator.environment["BROKER_PRIVATE_URL"] = f"http://127.0.0.1:{broker.private_port}"
    until(lambda: operator.depth() == (0, 5), "all is archived but for five dead letters", within=120)

    operator.does("status", code=1)
    assert operator.states(emails[0]) == ["archived"]
    assert operator.states(held_up[0]) == ["dead-lettered"]
    letters = operator.does("dead-letters", "list")
    shown = operator.does("dead-letters", "show", *(letter["id"] for letter in letters))
    assert MARK not in json.dumps([letters, shown])

    for email in held_up:
        for name in email.names:
            world.remove(name)
    operator.does("dead-letters", "redrive", "--reason", "other bytes", "--yes")
    until(lambda: operator.depth() == (0, 3), "what was redriven is archived")
    assert operator.states(held_up[0]) == ["archived"]
    operator.does("dead-letters", "drop", "--all", "--yes")
    until(lambda: operator.depth() == (0, 0), "there are no dead letters")
    operator.does("status")

    [clean] = operator.does("reconcile", receipts)
    assert (clean["receipts"], clean["archived"], clean["extra"]) == (count, count, 2)
    [lost, *_] = emails[0].names
    world.remove(lost)
    finding, summary = operator.does("reconcile", receipts, code=1)
    assert (finding["finding"], lost in finding["names"], summary["missing"]) == ("missing", True, 1)
