"""What can happen to any call of SQS or S3, on its way there or back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from chaos.aws.answers import EXPIRED_TOKEN, INTERNAL_ERROR, SLOW_DOWN, THROTTLING, page, refused
from chaos.aws.calls import HEAD, RECEIVE, S3_OPERATIONS, SEND, SQS_OPERATIONS
from chaos.aws.fault import CallFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chaos.aws.answers import Refusal
    from chaos.aws.calls import Call
    from chaos.aws.http_messages import Answer
    from chaos.aws.proxy import Proxy

_ALL: Final = SQS_OPERATIONS | S3_OPERATIONS
# Longer than an intake waits for the queue, and shorter than its SDK waits for an answer; and longer than either.
_LATE_SECONDS: Final = (3.0, 6.0)


def call_faults(proxy: Proxy) -> list[CallFault]:
    """One of each kind."""
    return [
        CallFault("hang", proxy, _ALL, _hang, shares=(0.1, 0.3)),
        CallFault("hang_after_the_effect", proxy, _ALL, _hang_after_the_effect, shares=(0.1, 0.3)),
        CallFault("internal_error", proxy, _ALL, partial(_refuse, refusals=INTERNAL_ERROR)),
        CallFault("internal_error_after_the_effect", proxy, _ALL, _internal_error_after_the_effect),
        CallFault("slow_down", proxy, _ALL, partial(_refuse, refusals=SLOW_DOWN)),
        CallFault("throttling", proxy, SQS_OPERATIONS, _throttle),
        CallFault("expired_credentials", proxy, _ALL, partial(_refuse, refusals=EXPIRED_TOKEN)),
        CallFault("reset", proxy, _ALL, _reset),
        CallFault("reset_after_the_effect", proxy, _ALL, _reset_after_the_effect),
        CallFault("answer_after_the_deadline", proxy, _ALL, _answer_late, shares=(0.1, 0.3)),
        CallFault("html", proxy, _ALL, _html),
        CallFault("half_a_body", proxy, _ALL - {HEAD}, _half_a_body),
    ]


async def _hang(fault: CallFault, call: Call) -> None:  # noqa: ARG001  as every fault is told which one it is
    await call.client_is_gone()


async def _hang_after_the_effect(fault: CallFault, call: Call) -> Answer | None:
    answer = await call.forward()
    if not call.may_lose(answer):
        fault.spare()
        return answer
    await call.client_is_gone()
    return None


async def _refuse(fault: CallFault, call: Call, *, refusals: Mapping[str, Refusal]) -> Answer:  # noqa: ARG001  as above
    return refused(call, refusals[call.service])


async def _throttle(fault: CallFault, call: Call) -> Answer:
    return refused(call, fault.random.choice(THROTTLING))


async def _internal_error_after_the_effect(fault: CallFault, call: Call) -> Answer:
    answer = await call.forward()
    if not call.may_lose(answer):
        fault.spare()
        return answer
    return refused(call, INTERNAL_ERROR[call.service])


async def _reset(fault: CallFault, call: Call) -> None:
    """Before the effect."""


async def _reset_after_the_effect(fault: CallFault, call: Call) -> Answer | None:
    answer = await call.forward()
    if not call.may_lose(answer):
        fault.spare()
        return answer
    return None


async def _answer_late(fault: CallFault, call: Call) -> Answer:
    answer = await call.forward()
    if call.operation != SEND and not call.may_lose(answer):
        fault.spare()
        return answer
    seconds = fault.random.uniform(*_LATE_SECONDS)
    gone = asyncio.create_task(asyncio.wait_for(call.client_is_gone(), seconds))
    await asyncio.wait([gone])
    gone.exception()
    return answer


async def _html(fault: CallFault, call: Call) -> Answer:
    return page(call, with_etag=fault.random.random() < 0.5)


async def _half_a_body(fault: CallFault, call: Call) -> Answer:
    """Half of it as though it were the whole, or all of it announced and half of it brought."""
    answer = await call.forward()
    if not answer.body or (call.operation == RECEIVE and not call.may_lose(answer)):
        fault.spare()
        return answer
    half = answer.body[: len(answer.body) // 2]
    if fault.random.random() < 0.5:
        return replace(answer, body=half)
    return replace(answer, body=half, is_torn=True)
