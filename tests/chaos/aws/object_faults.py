"""What S3 may answer about objects: that a name is taken though it is free, and once in a while what is not true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from chaos.aws.answers import CONFLICT, TAKEN, refused
from chaos.aws.calls import GET, HEAD, PUT
from chaos.aws.fault import CallFault

if TYPE_CHECKING:
    from chaos.aws.calls import Call
    from chaos.aws.http_messages import Answer
    from chaos.aws.proxy import Proxy

_OK: Final = 200
_SHA256: Final = "x-amz-meta-sha256"
_SHA256_BYTES: Final = 32
_MD5_BYTES: Final = 16


def object_faults(proxy: Proxy) -> list[CallFault]:
    """One of each kind."""
    puts = frozenset({PUT})
    return [
        CallFault("conflict_though_free", proxy, puts, _conflict),
        CallFault("taken_though_free", proxy, puts, _taken_though_free, shares=(0.2, 0.5)),
        CallFault("taken_by_its_own_put", proxy, puts, _taken_by_its_own_put),
        CallFault("wrong_read", proxy, frozenset({PUT, HEAD, GET}), WrongReads().read_wrong, shares=(0.6,)),
    ]


async def _conflict(fault: CallFault, call: Call) -> Answer:  # noqa: ARG001  as every fault is told which one it is
    """Another request for the same name is under way, and the client is to try again.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html#conditional-error-response
    """
    return refused(call, CONFLICT)


async def _taken_though_free(fault: CallFault, call: Call) -> Answer:  # noqa: ARG001  as above
    """As by another put that fails in the end."""
    return refused(call, TAKEN)


async def _taken_by_its_own_put(fault: CallFault, call: Call) -> Answer:
    """As where the client's first attempt took effect and was not answered, and this is the second one."""
    answer = await call.forward()
    if answer.status != _OK:
        fault.spare()
        return answer
    return refused(call, TAKEN)


class WrongReads:
    """Looks at objects that show another's digest: never two of one process at one name in succession.

    So that there are looks at all, puts that took effect are answered as though they had been tried before.
    """

    def __init__(self) -> None:
        self._last: set[tuple[str, int, str]] = set()

    async def read_wrong(self, fault: CallFault, call: Call) -> Answer:
        """Each time the digest is another one."""
        answer = await call.forward()
        if call.operation == PUT:
            fault.spare()
            return refused(call, TAKEN) if answer.status == _OK else answer
        look = (call.program, call.number, call.key)
        if answer.status != _OK or look in self._last:
            self._last.discard(look)
            fault.spare()
            return answer
        self._last.add(look)
        if call.operation == GET:
            return replace(answer, body=fault.random.randbytes(len(answer.body)))
        headers = {**answer.headers, "etag": f'"{fault.random.randbytes(_MD5_BYTES).hex()}"'}
        if _SHA256 in headers:
            headers[_SHA256] = fault.random.randbytes(_SHA256_BYTES).hex()
        return replace(answer, headers=headers)
