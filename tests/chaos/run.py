"""One run: load and faults, then an end to both, and what the oracle says of what is left."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from chaos.client import Client
from chaos.faults.processes import Kill, Paused, RollingRestart
from chaos.observer import Observer
from chaos.scenarios import SCENARIOS, STORM
from chaos.services import SLOTS, VISIBILITY_SECONDS, Fleet
from chaos.stepped import EMBEDDED_STEPS, STEPS
from chaos.world import Damageable, Destroying, Killing
from conservation.history import End, History, identity
from conservation.oracle import Violation, violations

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from chaos.services import Member
    from chaos.world import Fault, World

SETTLE_SECONDS: Final = 60.0
_ALONE_SECONDS: Final = 6.0
_TRIES_ALONE: Final = 3
# In all, longer than the longest backoff of a broker that could not put or delete in the last fault: 30 s.
_TRIES_IN_A_BACKOFF: Final = 6
_UNLOCK_SECONDS: Final = 0.5
_SLACK_SECONDS: Final = 0.5
_OUTLIVES_SECONDS: Final = 15.0  # a call to SQS with its retries
_DEADLINE_SECONDS: Final = 5.0  # an intake's, for the queue to confirm
_BAD_EVERY_SECONDS: Final = 0.4
_LOOK_SECONDS: Final = 0.1
# Nothing changes any more; where nothing is on the queue either, what is not stored will never be.
_HOPELESS_SECONDS: Final = 30.0
_LOST_SECONDS: Final = 5.0
_START_SECONDS: Final = 60.0
# A run of fewer seconds is one of many tests: it has fewer processes, and no broker is tried alone.
_SHORT_SECONDS: Final = 10.0
# So many kinds of faults must go on side by side, to happen all within a minute.
_MANY: Final = 20
# How long a fault lasts, and the pause before the next one of its kind: shortest and longest.
_KILLS: Final = ((0.0, 0.0), (2.0, 6.0))
_PROCESSES: Final = ((VISIBILITY_SECONDS + 1.0, VISIBILITY_SECONDS + 3.0), (0.5, 2.5))
_WORLD: Final = ((0.5, 5.0), (0.2, 2.0))
_WORLD_OF_MANY: Final = ((0.5, 5.0), (0.1, 0.4))


class _Load(NamedTuple):
    """New e-mails per second, as a rule; and how many may wait to be stored before no more are posted."""

    rate: float
    most_waiting: int


# An emulator of AWS does a small part of what one machine does.
_LOADS: Final = {"embedded": _Load(200.0, 5_000), "aws": _Load(60.0, 400)}
# Too long for a short run.
_LONG_FAULTS: Final = {"long_archive_outage": 150.0}


@dataclass
class Outcome:
    """What a run shows. Seconds; bytes.

    faults: by name, how often. stored_seconds: the longest time from 200 to stored. settled: by what, the time from the
    end of the last fault until it held; None where it never did.
    alone_seconds: in which each broker alone stored a few e-mails.
    """

    world: str
    seed: int
    seconds: float
    history: History
    violations: list[Violation] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    kills_at: dict[str, int] = field(default_factory=dict)
    exits: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    settled: dict[str, float | None] = field(default_factory=dict)
    alone_seconds: list[float] = field(default_factory=list)
    posted: int = 0
    objects: int = 0
    stored_seconds: float = 0


class Run:
    """A world, a fleet in it, a client, and what goes wrong."""

    def __init__(
        self,
        world: World,
        directory: Path,
        *,
        seed: int,
        seconds: float,
        without: Collection[str] = (),
        scenario: str = STORM,
    ) -> None:
        steps = {
            program: [*general, *(EMBEDDED_STEPS[program] if world.name == "embedded" else [])]
            for program, general in STEPS.items()
            if scenario == STORM
        }
        self._world = world
        self._faults = [
            fault for fault in world.faults if fault.name not in without and seconds >= _LONG_FAULTS.get(fault.name, 0)
        ]
        self._scenario = scenario
        self._random = Random(f"run {seed}")
        self._fleet = Fleet(world, directory, steps=steps, seed=seed)
        if isinstance(world, Killing):
            world.kill = self._fleet.kill_number
        self._history = History()
        self._observer = Observer(world, self._fleet)
        self._stopped = threading.Event()
        self._perhaps_bad: set[str] = set()
        self._found: list[Violation] = []
        self._failed: list[BaseException] = []
        self._outcome = Outcome(world.name, seed, seconds, self._history)

    def go(self) -> Outcome:
        """Raises what the suite itself could not do."""
        outcome, fleet = self._outcome, self._fleet
        restart = RollingRestart(fleet)
        pause = Paused(fleet)
        of_processes: list[Fault] = [Kill(fleet), restart, pause]
        is_short = outcome.seconds < _SHORT_SECONDS
        # A broker that a failing object keeps from its work must not hide behind another.
        brokers = 1 if self._scenario == "failing-object" else 2 if is_short else 3
        with fleet.running(intakes=2 if is_short else 3, brokers=brokers):
            _within(_START_SECONDS, lambda: fleet.are_ready(only_spared=True), "all services are ready at the start")
            ports = [member.port for member in fleet.intakes]
            load = _LOADS.get(self._world.name, _LOADS["aws"])
            client = Client(
                ports,
                self._history,
                seed=outcome.seed,
                rate=load.rate,
                is_behind=lambda posted: posted - len(self._observer.stored_at) > load.most_waiting,
            )
            with self._observer.running(), client.running(is_loading=self._scenario == STORM):
                began = time.monotonic()
                if self._scenario == STORM:
                    self._storm(of_processes, outcome.seconds)
                else:
                    self._found += SCENARIOS[self._scenario](self._world, fleet, client, self._random)
                outcome.seconds = time.monotonic() - began
                client.calm()
                self._settle(client)
                if not (self._found or is_short):
                    self._try_alone(client)
            outcome.statuses = {str(status): count for status, count in client.statuses.items()}
            outcome.posted = client.posted
            self._judge(client, pause)
        outcome.faults = {fault.name: fault.count for fault in [*of_processes, *self._world.faults]}
        outcome.kills, outcome.kills_at, outcome.exits = dict(fleet.kills), dict(fleet.kills_at), dict(fleet.exits)
        outcome.memory = self._observer.memory
        if restart.hung:
            outcome.violations.append(Violation("not_stopped_by_sigterm", str(restart.hung)))
        return outcome

    def _storm(self, of_processes: Sequence[Fault], seconds: float) -> None:
        """Let faults happen for so long; return when all are over."""
        world, at_once = (_WORLD, 2) if len(self._faults) < _MANY else (_WORLD_OF_MANY, 4)
        actors: list[Callable[[], None]] = [
            lambda: self._again_and_again(of_processes[:1], *_KILLS, at_once=1),
            lambda: self._again_and_again(of_processes[1:], *_PROCESSES, at_once=2),
            lambda: self._again_and_again(self._faults, *world, at_once=at_once),
            self._put_bad_messages,
        ]
        threads = [threading.Thread(target=self._noting_failures, args=(actor,)) for actor in actors]
        for thread in threads:
            thread.start()
        self._stopped.wait(seconds)
        self._stopped.set()
        for thread in threads:
            thread.join()
        self._fleet.disarm()
        if self._failed:
            raise self._failed[0]

    def _noting_failures(self, actor: Callable[[], None]) -> None:
        try:
            actor()
        except BaseException as error:  # noqa: BLE001  it is raised again by the thread that waits
            self._failed.append(error)
            self._stopped.set()

    def _again_and_again(
        self, faults: Sequence[Fault], lengths: tuple[float, float], pauses: tuple[float, float], *, at_once: int
    ) -> None:
        """Each fault once before any comes again; a few at once, each in a thread of its own."""
        random = Random(self._random.random())
        deck: list[Fault] = []
        going_on: list[threading.Thread] = []
        busy: set[str] = set()
        while not self._stopped.wait(random.uniform(*pauses)):
            if not deck:
                deck = random.sample(list(faults), len(faults))
            going_on = [thread for thread in going_on if thread.is_alive()]
            if len(going_on) >= at_once or deck[-1].name in busy:
                continue
            fault = deck.pop()
            busy.add(fault.name)
            inner, length = Random(random.random()), random.uniform(*lengths)

            def happen(fault: Fault = fault, inner: Random = inner, length: float = length) -> None:
                with fault.going_on(inner):
                    self._stopped.wait(length)
                busy.discard(fault.name)

            going_on.append(threading.Thread(target=self._noting_failures, args=(happen,)))
            going_on[-1].start()
        for thread in going_on:
            thread.join()

    def _put_bad_messages(self) -> None:
        number = 0
        while not self._stopped.wait(_BAD_EVERY_SECONDS):
            number += 1
            body = [b"no JSON %d" % number, b'{"email_subject": "subject %d"}' % number][number % 2]
            try:
                self._world.put(body)
            except (OSError, sqlite3.Error):
                self._perhaps_bad.add(identity(body))
            else:
                self._history.bad.add(identity(body))

    def _settle(self, client: Client) -> None:
        """Wait until everything is stored and all are ready."""
        began = time.monotonic()
        conditions: dict[str, Callable[[], bool]] = {
            "answered": lambda: not client.unanswered,
            "ready": self._fleet.are_ready,
            "stored": lambda: not client.unanswered and self._is_stored(),
        }
        settled = self._outcome.settled
        settled |= dict.fromkeys(conditions)
        last: tuple[object, ...] = ()
        changed_at = began
        while time.monotonic() - began < SETTLE_SECONDS and None in settled.values():
            for name, holds in conditions.items():
                if settled[name] is None and holds():
                    settled[name] = time.monotonic() - began
            state = (settled["answered"], settled["ready"], self._waiting(), len(self._observer.stored_at))
            if state != last:
                last, changed_at = state, time.monotonic()
            patience = _HOPELESS_SECONDS if state[2] or None in state else _LOST_SECONDS
            if time.monotonic() > changed_at + patience:
                break
            time.sleep(_LOOK_SECONDS)
        self._found += [Violation("not_settled", name) for name, seconds in settled.items() if seconds is None]

    def _is_stored(self) -> bool:
        self._take_down_destroyed()
        return not self._waiting() and self._history.kept <= set(self._observer.look().values())

    def _waiting(self) -> int:
        """Messages on the queue; 1 where it cannot be read."""
        try:
            return self._world.waiting()
        except (OSError, sqlite3.Error):
            return 1

    def _try_alone(self, client: Client) -> None:
        """Let each broker alone store some e-mails: one that receives nothing any more hides behind the others.

        A broker that is paused while it has the lock of a file keeps all others from it, so there are some tries.
        """
        for number, broker in enumerate(self._fleet.brokers):
            for tries in count(1):
                began = time.monotonic()
                with _paused([each for each in self._fleet.brokers if each is not broker]):
                    client.post_new(3 * SLOTS)
                    if is_stored := _holds(lambda: not client.unanswered and self._is_stored(), _ALONE_SECONDS):
                        break
                if tries >= (_TRIES_IN_A_BACKOFF if _is_in_a_backoff(broker) else _TRIES_ALONE):
                    break
                time.sleep(_UNLOCK_SECONDS)
            self._outcome.alone_seconds.append(time.monotonic() - began)
            if not is_stored:
                self._found.append(Violation("stores_nothing_alone", f"message_broker {number}"))
                return

    def _take_down_destroyed(self) -> None:
        if isinstance(self._world, Destroying):
            self._history.destroyed = list(self._world.destroyed())

    def _judge(self, client: Client, pause: Paused) -> None:
        self._take_down_destroyed()
        history, outcome = self._history, self._outcome
        # An intake that was paused over a confirmation finds its deadline gone by.
        history.confirmations = [
            each
            for each in self._world.confirmations()
            if not any(began < each.at + _SLACK_SECONDS and each.asked_at < ended for began, ended in pause.of_intakes)
        ]
        try:
            dead_letters, waiting = self._world.dead_letters(), self._world.waiting()
        except (OSError, sqlite3.Error) as error:  # of the embedded world, where nobody has made a queue again
            dead_letters, waiting = [], 0
            self._found.append(Violation("queue_unreadable", str(error)))
        if isinstance(self._world, Damageable) and (damage := self._world.damage()):
            self._found.append(Violation("queue_damaged", damage))
        history.bad |= self._perhaps_bad & set(dead_letters)
        objects = self._observer.look()
        end = End(objects, self._observer.changed, waiting, dead_letters)
        strange = client.statuses.keys() - {200, 503, None}
        outcome.violations = [
            *violations(
                history,
                end,
                slack_seconds=_SLACK_SECONDS,
                deadline_seconds=_DEADLINE_SECONDS,
                outlives_seconds=_OUTLIVES_SECONDS,
            ),
            *(Violation("ended_by_itself", how) for how in self._fleet.exits),
            *(Violation("answered", str(status)) for status in sorted(filter(None, strange))),
            *self._found,
        ]
        outcome.objects = len(objects)
        first_kept: dict[str, float] = {}
        for post in history.posts:
            if post.status == 200:
                first_kept.setdefault(post.identity, post.ended)
        # Posted again after its only copy was destroyed, an e-mail is stored long after it was first answered 200.
        destroyed = {each.identity for each in history.destroyed}
        stored_at = self._observer.stored_at
        found = stored_at.keys() - destroyed
        outcome.stored_seconds = max(
            (stored_at[each] - at for each, at in first_kept.items() if each in found), default=0
        )


@contextmanager
def _paused(members: Sequence[Member]) -> Iterator[None]:
    with ExitStack() as stack:
        for member in members:
            member.send(signal.SIGSTOP)
            stack.callback(member.send, signal.SIGCONT)
        yield


def _is_in_a_backoff(broker: Member) -> bool:
    """Whether it says that its circuit is not closed; one that loses its slots says nothing of the kind."""
    assert broker.service is not None
    with suppress(OSError):
        url = f"http://127.0.0.1:{broker.service.private_port}/metrics"
        return b'checkpoint_circuit_breaker_state{state="closed"} 0.0' in urllib.request.urlopen(url, timeout=5).read()
    return False


def _within(seconds: float, holds: Callable[[], bool], what: str) -> None:
    if not _holds(holds, seconds):
        raise TimeoutError(f"within {seconds:g} s it did not hold that {what}")


def _holds(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether a condition holds within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
