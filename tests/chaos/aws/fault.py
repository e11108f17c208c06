"""A fault of calls: while it goes on, something else than their answer happens to some of them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from collections.abc import Set as AbstractSet

    from chaos.aws.calls import Call
    from chaos.aws.http_messages import Answer
    from chaos.aws.proxy import Proxy

_LONGER_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.05
_SHARES: Final = (0.1, 0.3, 0.6)


@dataclass(eq=False)
class CallFault:
    """A Fault of the calls of these operations.

    happen: what the client gets; None: a reset.
    shares: which parts of the calls it may hit; one of them is chosen each time that it goes on.
    """

    name: str
    proxy: Proxy
    operations: AbstractSet[str]
    happen: Callable[[CallFault, Call], Awaitable[Answer | None]]
    shares: tuple[float, ...] = _SHARES
    count: int = 0
    share: float = 0
    random: Random = field(default_factory=Random)

    @contextmanager
    def going_on(self, random: Random) -> Iterator[None]:
        """Let it happen to a share of the calls; where it has happened to none, for a little longer."""
        self.random = Random(random.random())
        self.share = random.choice(self.shares)
        happened = self.count
        with self.proxy.happening(self):
            yield
            ends = time.monotonic() + _LONGER_SECONDS
            while self.count == happened and time.monotonic() < ends:
                time.sleep(_LOOK_SECONDS)

    def hits(self, call: Call) -> bool:
        """As GoingOn says."""
        return call.operation in self.operations and self.random.random() < self.share

    async def answer(self, call: Call) -> Answer | None:
        """As GoingOn says."""
        self.count += 1
        return await self.happen(self, call)

    def spare(self) -> None:
        """Take back that it happened: it did nothing to the call."""
        self.count -= 1
