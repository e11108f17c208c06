"""One history's world: its time, its services, its processes and clients, and what was seen of them."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from conservation.history import History, identity
from simulation.awaits import BROKER, INTAKE
from simulation.client import Client
from simulation.loop import silenced
from simulation.plan import CLOCK_JUMP, CRASH, CRASH_AT_AWAIT, PAUSE, RESTART, SLOW_PROCESS, place_of
from simulation.programs import BrokerProcess, IntakeProcess, limits
from simulation.queue_model import QueueModel
from simulation.scheduler import Scheduler
from simulation.service_model import Surroundings, Window
from simulation.store_model import StoreModel
from simulation.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.message_queue.port import Limits
    from simulation.awaits import Point
    from simulation.loop import ProcessLoop
    from simulation.plan import Fault, Plan
    from simulation.process import Process


class World:
    """Everything of one history.

    tally: how often each fault happened. crashed_at: where tasks waited in processes that were killed.
    kept_at: when a client had its 200, by identity. open_requests: that an intake has, by identity.
    errors: what no history may have, whatever happened in it. graves: the loops of processes that are gone.
    """

    def __init__(self, plan: Plan, write: Callable[[str], None] | None = None) -> None:
        self.plan = plan
        self.history = History()
        self.tally: Counter[str] = Counter()
        self.crashed_at: Counter[Point] = Counter()
        self.kept_at: dict[str, float] = {}
        self.open_requests: Counter[str] = Counter()
        self.errors: list[str] = []
        self.graves: list[ProcessLoop] = []
        # A stream for each, so that without one fault the others happen much as before.
        self.scheduler = Scheduler(self._random("scheduler"))
        self.trace = Trace(lambda: self.scheduler.now, write)
        self.queue = QueueModel(self._surroundings("queue"), max_receives=plan.max_receives)
        self.store = StoreModel(self._surroundings("store"), says_others=plan.says_others)
        self.intakes = [IntakeProcess(self, f"{INTAKE}-{number}") for number in range(plan.intakes)]
        self.brokers = [BrokerProcess(self, f"{BROKER}-{number}") for number in range(plan.brokers)]
        self.processes: dict[str, Process] = {each.name: each for each in (*self.intakes, *self.brokers)}
        self.scheduler.processes = list(self.processes.values())
        self.clients = [Client(self, mail, self._random(f"client {mail.number}")) for mail in plan.mails]
        self._schedule()

    def limits(self) -> Limits:
        """Of the queue."""
        return limits(self.plan.entries, self.plan.calls_at_once, self.plan.linger_seconds)

    def count(self, kind: str) -> None:
        """Count a fault that happened."""
        self.tally[kind] += 1

    def error(self, text: str) -> None:
        """Note what no history may have."""
        self.trace("error", text)
        self.errors.append(text)

    def begin(self, fault: Fault) -> None:
        """Let something go wrong."""
        self.trace("fault", f"{fault} begins")
        if fault.kind.startswith(("queue_", "store_")):
            service = self.queue if fault.kind.startswith("queue_") else self.store
            window = Window(fault)
            service.windows.append(window)
            self.scheduler.after(fault.seconds, self._close_window, window)
            return
        process = self.processes[fault.target]
        if not process.is_up:
            return
        if fault.kind == CRASH_AT_AWAIT:  # counted where it happens
            process.arm(place_of(fault), Random(fault.seed), fault.seconds)  # type: ignore[arg-type]  # it is a place
            return
        self.count(fault.kind)
        if fault.kind == CRASH:
            process.kill(fault.seconds)
        elif fault.kind == RESTART:
            process.terminate(fault.seconds)
        elif fault.kind == PAUSE:
            process.is_paused, process.was_slowed = True, True
            self.scheduler.after(fault.seconds, self._resume, process, process.loop)
        elif fault.kind == SLOW_PROCESS:
            process.slow_seconds, process.was_slowed = fault.amount, True
            self.scheduler.after(fault.seconds, self._mend, process)
        elif fault.kind == CLOCK_JUMP:
            process.clock.offset = fault.amount
            self.scheduler.after(fault.seconds, self._mend, process)

    def mend(self) -> None:
        """End all faults; what was down comes up again."""
        self.trace("fault", "all faults are over")
        self.queue.windows.clear()
        self.store.windows.clear()
        for process in self.processes.values():
            process.is_paused = False
            process.disarm()
            self._mend(process)
            process.start()

    def bury(self) -> None:
        """End all processes, and have nothing of them left."""
        for process in self.processes.values():
            if process.loop is not None:
                process.loop.end()
                self.graves.append(process.loop)
                process.loop = None
        with silenced():
            for loop in self.graves:
                loop.bury()

    def _schedule(self) -> None:
        random = self._random("start")
        for process in self.processes.values():
            self.scheduler.after(random.uniform(0, 0.5), process.start)
        for client in self.clients:
            self.history.timestreams[client.identity] = client.mail.timestream
            self.scheduler.after(client.mail.at, client.start)
        for number, at in enumerate(self.plan.bad):
            body = b"not an e-mail %d" % number
            self.history.bad.add(identity(body))
            self.scheduler.after(at, self.queue.put, body)
        for fault in self.plan.faults:
            self.scheduler.after(fault.at, self.begin, fault)

    def _close_window(self, window: Window) -> None:
        for service in (self.queue, self.store):
            if window in service.windows:
                service.windows.remove(window)
                self.trace("fault", f"{window.fault.kind} is over")

    def _resume(self, process: Process, loop: ProcessLoop | None) -> None:
        if process.loop is loop and process.is_paused:
            self.trace(process.name, "SIGCONT")
            process.is_paused = False

    def _mend(self, process: Process) -> None:
        process.slow_seconds, process.clock.offset = 0.0, 0.0

    def _surroundings(self, name: str) -> Surroundings:
        return Surroundings(self.scheduler, self._random(name), self.tally, self.trace)

    def _random(self, name: str) -> Random:
        return Random(f"{name} {self.plan.seed}")
