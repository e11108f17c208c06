"""The broker's composition root: adapters are opened here, handed on as arguments, and closed in reverse order."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from checkpoint.archive.adapters import open_archive
from checkpoint.message_queue.adapters import open_receiving
from checkpoint.operations.background import in_background
from checkpoint.operations.health import Health
from checkpoint.operations.private_port import serve_private_port
from checkpoint.operations.signals import stop_on_signals
from checkpoint.operations.tally import Tally
from checkpoint.settings import convert_to_settings_error
from message_broker.leases import Leases
from message_broker.message_broker import DELETING, Broker
from message_broker.metrics import Metrics
from message_broker.patience import ARCHIVING, PatientArchive
from message_broker.receiving import RECEIVING, Receiver
from message_broker.slots import Slots

if TYPE_CHECKING:
    from message_broker.settings import BrokerSettings

_log = structlog.get_logger()


async def run(settings: BrokerSettings) -> None:
    """Move messages until SIGTERM or SIGINT; return when what was in flight is finished or handed back.

    Raises SettingsError for a setting, a directory or a port that cannot be used.
    """
    stop = stop_on_signals()
    health = Health(untried=[RECEIVING], assumed_healthy=[ARCHIVING, DELETING])
    metrics, tally, slots = Metrics(), Tally("moved"), Slots(settings.slots)
    metrics.watch(held=lambda: slots.taken, archive_up=lambda: health.is_healthy(ARCHIVING))
    async with AsyncExitStack() as opened:
        with convert_to_settings_error():
            archive = await opened.enter_async_context(open_archive(settings.archive_url))
            queue = await opened.enter_async_context(open_receiving(settings.queue_url))
            port = opened.enter_context(
                serve_private_port(settings.private_host, settings.private_port, health, metrics.registry)
            )
        leases = Leases(queue, visibility_seconds=settings.visibility_seconds)
        patient = PatientArchive(archive, health=health)
        receiver = Receiver(
            queue,
            patient,
            slots=slots,
            leases=leases,
            health=health,
            wait_seconds=settings.wait_seconds,
            visibility_seconds=settings.visibility_seconds,
        )
        broker = Broker(
            queue,
            patient,
            receiver=receiver,
            slots=slots,
            leases=leases,
            health=health,
            metrics=metrics,
            tally=tally,
        )
        _log.info("moving", private_port=port)
        async with in_background(leases.extend_until_cancelled(), tally.report_now_and_then()):
            consumers = (broker.consume(only_in_crowds=number > 0) for number in range(queue.limits.calls_at_once))
            async with in_background(*consumers):
                await stop.wait()
                await receiver.close()
            await broker.finish(grace_seconds=settings.grace_seconds)
    _log.info("stopped")
