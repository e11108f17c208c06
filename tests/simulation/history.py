"""A history, from its seed to the verdict: faults for a while, then none, then the oracle."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conservation.history import End, identity
from conservation.oracle import violations
from simulation import product_log
from simulation.client import email
from simulation.scheduler import SpinningError
from simulation.store_model import UNREADABLE
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.awaits import Point
    from simulation.plan import Plan

# A call that was made while there were faults has ended by then, and so has a backoff of 30 seconds.
_ECHO_SECONDS: Final = 70.0
# Then each message comes when it is visible again, and two backoffs and three calls are enough for all.
_SETTLING_SECONDS: Final = 200.0
# A message that fails alone may be tried ten times, in up to 92 seconds, before it lets others be tried beside it: also
# where it was released, since there were too many of its kind, and has come again.
_NEIGHBOURS_SECONDS: Final = 110.0
_WAVE_PUT_SECONDS: Final = 5.0
_WAVE_SLACK_SECONDS: Final = 4.0


@dataclass
class Verdict:
    """What came of a history. violations: what was broken, in words; none of them may be."""

    seed: int
    violations: list[str] = field(default_factory=list)
    virtual_seconds: float = 0.0
    tally: Counter[str] = field(default_factory=Counter)
    crashed_at: Counter[Point] = field(default_factory=Counter)
    kept: int = 0
    posts: int = 0
    settled_after: float = 0.0


def run(plan: Plan, write: Callable[[str], None] | None = None) -> Verdict:
    """Live through a plan. write: takes the lines of what happens."""
    world = World(plan, write)
    product_log.hand_to(world)
    verdict = Verdict(plan.seed, tally=world.tally, crashed_at=world.crashed_at)
    try:
        world.scheduler.run(plan.seconds)
        world.mend()
        verdict.settled_after = _settle(world)
        if plan.has_last_wave and not world.errors:
            _last_wave(world)
    except SpinningError as error:
        world.error(f"{error} spins: it has rounds without end while no time goes by")
    finally:
        world.bury()
    end = End(
        objects={name: identity(body) for name, body in world.store.objects.items()},
        changed=world.store.changed,
        waiting=len(world.queue.stored),
        dead_letters=[identity(letter.body) for letter in world.queue.dead_letters],
    )
    verdict.violations = [f"{each.what} {each.where}" for each in violations(world.history, end)]
    verdict.violations += world.errors
    verdict.violations += _unexpected_answers(world)
    if plan.quiet_after is not None:
        verdict.violations += _slow_neighbours(world, plan.quiet_after)
    verdict.virtual_seconds = world.scheduler.now
    verdict.kept = len(world.kept_at)
    verdict.posts = len(world.history.posts)
    for text in verdict.violations:
        world.trace("verdict", text)
    return verdict


def _settle(world: World) -> float:
    """Go on until nothing is left to do; gives how long that took. It must not take longer than it can."""
    began = world.scheduler.now
    world.scheduler.run(began + _ECHO_SECONDS, unless=lambda: _is_settled(world))
    while _redrive(world) or not _is_settled(world):
        now = world.scheduler.now
        hidden_until = max((stored.visible_at for stored in world.queue.stored.values()), default=now)
        deadline = max(now, hidden_until) + _SETTLING_SECONDS
        if world.scheduler.run(deadline, unless=lambda: _is_settled(world)):
            for process in world.processes.values():
                if reason := process.faults():
                    world.error(f"{process.name} is not well {_SETTLING_SECONDS:g} s after all faults: {reason}")
            posting = [client.identity[:8] for client in world.clients if not client.is_done]
            if posting:
                world.error(f"not answered 200 {_SETTLING_SECONDS:g} s after all faults: {' '.join(posting)}")
            if not world.errors:
                world.error(f"not settled {_SETTLING_SECONDS:g} s after all faults")
            break
    return world.scheduler.now - began


def _is_settled(world: World) -> bool:
    return (
        not world.queue.stored
        and all(client.is_done for client in world.clients)
        and not any(process.faults() for process in world.processes.values())
    )


def _redrive(world: World) -> bool:
    """As an operator who has mended an object: put what was dead-lettered because of it on the queue again."""
    letters = [letter for letter in world.queue.dead_letters if UNREADABLE in letter.reason]
    for letter in letters:
        world.queue.dead_letters.remove(letter)
        world.queue.put(letter.body)
    return bool(letters)


def _last_wave(world: World) -> None:
    """Whether every slot is still there: as many e-mails as one broker has slots must be put all at once.

    Each put takes a while then, so that one that has to wait for another's slot is seen.
    """
    broker, *others = world.brokers
    for other in others:
        other.terminate(0.0, for_good=True)
    scheduler = world.scheduler
    scheduler.run(scheduler.now + 30)
    first = _wave(world, 1, 1_000)
    scheduler.run(scheduler.now + 60, unless=lambda: all(each in world.store.created_at for each in first))
    scheduler.run(scheduler.now + 5)
    world.store.put_seconds = _WAVE_PUT_SECONDS
    wave = _wave(world, world.plan.slots, 2_000)
    began = scheduler.now
    scheduler.run(began + 200, unless=lambda: all(each in world.store.created_at for each in wave))
    took = scheduler.now - began
    if took > _WAVE_PUT_SECONDS + _WAVE_SLACK_SECONDS:
        world.error(f"{broker.name} has lost slots: a wave as large as they are many took {took:.1f} s")
    scheduler.run(scheduler.now + 60, unless=lambda: _is_quiet(world, broker.name))
    if not _is_quiet(world, broker.name):
        world.error(f"{broker.name} is not well after the last wave: {broker.faults()}")


def _wave(world: World, count: int, first_number: int) -> list[bytes]:
    """Put e-mails straight on the queue, so that the wave is one."""
    bodies = []
    for number in range(first_number, first_number + count):
        timestream = str(1_600_000_000 + number)
        body = email(timestream, str(number))
        world.history.timestreams[identity(body)] = timestream
        world.queue.put(body)
        bodies.append(body)
    return bodies


def _is_quiet(world: World, broker: str) -> bool:
    return not world.queue.stored and not world.processes[broker].faults()


def _unexpected_answers(world: World) -> list[str]:
    """Clients send only what is right, so all that they may be answered is 200, and 503 for later.

    But 400 where the intake's clock was set back: an e-mail must not be dated after it.
    """
    return [
        f"{post.identity[:8]} was answered {post.status}"
        for post in world.history.posts
        if post.status not in (None, 200, 503) and not (post.status == 400 and world.tally["clock_jump"])
    ]


def _slow_neighbours(world: World, after: float) -> list[str]:
    """E-mails that had to wait while one object of another failed, though it had failed for long enough to know."""
    timestream = world.plan.faults[0].target if world.plan.faults else ""
    until = world.plan.seconds - _NEIGHBOURS_SECONDS
    slow = []
    for client in world.clients:
        kept_at = world.kept_at.get(client.identity)
        if kept_at is None or client.mail.timestream == timestream or not after < kept_at < until:
            continue
        took = world.store.created_at.get(client.body, world.scheduler.now) - kept_at
        if took > _NEIGHBOURS_SECONDS:
            slow.append(f"{client.identity[:8]} was stored {took:.0f} s after its 200, while another's object failed")
    return slow
