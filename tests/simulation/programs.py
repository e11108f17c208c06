"""The two programs as simulated processes: the product's own `build`, over the models of the queue and the store."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import message_broker.service
import processing_requests.service
from checkpoint.archive.archive import Archive
from checkpoint.message_queue.port import Limits
from conservation.history import Confirmation, identity
from message_broker.settings import BrokerSettings
from processing_requests.settings import IntakeSettings
from simulation.awaits import BROKER, INTAKE
from simulation.process import Process
from simulation.queue_model import QueueOfProcess
from simulation.store_model import ProbedStoreOfProcess, StoreOfProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checkpoint.message_queue.port import EntryFault
    from simulation.client import Exchange
    from simulation.world import World

TOKEN: Final = "foobar"
_MESSAGE_BYTES: Final = 262_144
_DRAIN_SECONDS: Final = 20.0


class IntakeProcess(Process):
    """An intake without its sockets: requests come to it from `client.py`.

    exchanges: what was asked of it and is not answered yet.
    """

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name, INTAKE)
        self.exchanges: dict[Exchange, None] = {}
        self.listens = False
        self.service: processing_requests.service.Service | None = None
        self._settings = IntakeSettings(max_waiting=world.plan.max_waiting, drain_seconds=_DRAIN_SECONDS)

    async def program(self) -> None:
        queue = QueueOfProcess(self.world.queue, self, self.world.limits(), knows_limits=False, sending=self._sending)
        service = self.service = processing_requests.service.build(self._settings, queue, self.clock)
        async with service.in_operation(self._tokens):
            self.listens = True
            await self.stop.wait()
            self.listens = False  # and then as `serve_http` does: what has come is answered, within the drain's time
            with suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_SECONDS):
                    while self.exchanges:  # noqa: ASYNC110  time is virtual
                        await asyncio.sleep(0.05)

    def faults(self) -> str:
        if self.service is None or not self.is_up:
            return "it is down"
        waiting = f"{self.service.sender.waiting} e-mails wait" if self.service.sender.waiting else ""
        return ", ".join([*self.service.health.faults.values(), *([waiting] if waiting else [])])

    def gone(self) -> None:
        self.listens = False
        self.service = None
        for exchange in list(self.exchanges):
            exchange.broken()
        self.exchanges.clear()

    async def _tokens(self) -> str:
        await asyncio.sleep(0.01)
        return TOKEN

    def _sending(self, bodies: Sequence[bytes]) -> Callable[[Sequence[EntryFault | None]], None]:
        asked_at = self.world.scheduler.stamp()
        # Where one e-mail is asked for twice at once, the confirmation may be of the other request.
        asked_once = {identity(body) for body in bodies if self.world.open_requests[identity(body)] == 1}

        def sent(faults: Sequence[EntryFault | None]) -> None:
            at = self.world.scheduler.stamp()
            for body, fault in zip(bodies, faults, strict=True):
                if fault is None and identity(body) in asked_once and self.world.open_requests[identity(body)] == 1:
                    self.world.history.confirmations.append(Confirmation(identity(body), asked_at, at))

        return sent


class BrokerProcess(Process):
    """A broker."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name, BROKER)
        self.service: message_broker.service.Service | None = None
        plan = world.plan
        self._settings = BrokerSettings(
            slots=plan.slots, visibility_seconds=plan.visibility_seconds, wait_seconds=plan.wait_seconds
        )

    async def program(self) -> None:
        queue = QueueOfProcess(self.world.queue, self, self.world.limits(), knows_limits=True)
        store = ProbedStoreOfProcess if self.world.plan.is_probed else StoreOfProcess
        archive = Archive(store(self.world.store, self))
        service = message_broker.service.build(self._settings, queue, archive, self.clock, self.random)
        self.service = service
        await service.run(self.stop)

    def faults(self) -> str:
        if self.service is None or not self.is_up:
            return "it is down"
        count = self.service.in_flight.count
        in_flight = f"{count} messages in flight" if count else ""
        return ", ".join([*self.service.health.faults.values(), *([in_flight] if in_flight else [])])

    def gone(self) -> None:
        self.service = None


def limits(entries: int, calls_at_once: int, linger_seconds: float) -> Limits:
    """A queue's limits."""
    return Limits(
        entries=entries,
        payload_bytes=_MESSAGE_BYTES,
        message_bytes=_MESSAGE_BYTES,
        calls_at_once=calls_at_once,
        linger_seconds=linger_seconds,
    )
