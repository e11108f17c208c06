"""Anyone may write to a queue: what is no e-mail harms only itself."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.adapters import open_sending
from e2e.marked import MARK, assert_exactly, body, marked
from e2e.posting import post_all
from e2e.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.one_machine import OneMachine
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


@pytest.mark.parametrize("world", ["one_machine"], indirect=True)  # test_operating.py redrives on AWS, too
def test_an_operator_finds_dead_letters_redrives_the_good_ones_and_drops_the_rest(
    world: World, services: Services, tmp_path: Path
) -> None:
    def dead_letters(*arguments: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "command_line", "dead-letters", *arguments],
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], **world.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert MARK not in ended.stdout + ended.stderr
        return ended.stdout

    emails = [marked(number, timestream=number) for number in range(3)]
    intake = services.intake()
    services.broker()
    post_all(intake.port, emails[:2])
    until(lambda: world.waiting() == 0 and len(world.objects()) == 2, "what was posted is archived")
    archived = world.objects()
    spent = "It was received 20 times and never deleted."
    world.bury(body(emails[0]), spent)  # the broker was killed after it had archived it
    world.bury(body(emails[2]), spent)  # and before
    world.bury(b"[]", "is no object.")

    listed = [json.loads(line) for line in dead_letters("list", "--json").splitlines()]
    assert sorted(letter["reason"] for letter in listed) == [spent, spent, "is no object."]

    assert json.loads(dead_letters("redrive", "--reason", spent, "--yes", "--json")) == {"redriven": 2, "failed": []}
    until(lambda: world.waiting() == 0 and len(world.objects()) == 3, "what was redriven is archived")
    assert_exactly(world.objects(), emails)
    assert archived.items() <= world.objects().items()

    assert json.loads(dead_letters("drop", "--all", "--yes", "--json")) == {"dropped": 1, "failed": []}
    assert world.dead_letters() == []
    assert len(world.objects()) == 3


async def make_queue(path: Path) -> None:
    async with open_sending(f"sqlite:///{path}") as sending:
        await sending.probe()


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("\n", 1, 1), ("Ctrl-C", 130, 1)])
def test_at_a_terminal_it_asks_before_it_drops_and_ctrl_c_ends_it_there(
    one_machine: OneMachine, tmp_path: Path, answer: str, code: int, left: int
) -> None:
    asyncio.run(make_queue(tmp_path / "data/queue.db"))
    one_machine.bury(b"[]", "is no object.")
    with ExitStack() as stack:
        terminal, other_end = pty.openpty()
        for end in (terminal, other_end):
            stack.callback(os.close, end)
        asking = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "command_line", "dead-letters", "drop", "--all"],
                cwd=tmp_path,
                stdin=other_end,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        )
        stack.callback(asking.kill)
        assert asking.stderr
        shown = b""
        while not shown.endswith(b"[y/N] "):
            shown += asking.stderr.read(1) or pytest.fail(shown.decode())
        if answer == "Ctrl-C":
            asking.send_signal(signal.SIGINT)
        else:
            os.write(terminal, answer.encode())
        assert asking.wait(15) == code

    assert b"Drop 1 dead letter?" in shown
    assert len(one_machine.dead_letters()) == left
