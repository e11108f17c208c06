"""An object store that creates and compares, and everything that the port allows it to do.

What allows each fault, in `checkpoint.archive`:
- an error though it was done, a hang, a late effect: `ArchiveUnavailableError`, "the store did not answer";
- a put that is answered "taken" while another is under way, which may fail then: `archive.py`, `_holds`;
- a name that cannot be read: `ObjectUnreadableError`, "the fault is its own: the store answers, and others are fine";
- a wrong read: `_holds` believes that another e-mail has the name where two looks agree, so no two looks of one put
  are wrong. No look is wrong in the other direction: none finds the very SHA-256 of bytes that are not there.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256 as sha256_of
from typing import TYPE_CHECKING, Final

from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from conservation.history import identity
from simulation.service_model import ServiceModel

if TYPE_CHECKING:
    from simulation.process import Process
    from simulation.service_model import Answer, Fate, Surroundings, Window

UNREADABLE: Final = "cannot be read; give it back"
_CALL_SECONDS: Final = 20.0  # as the store's client waits, its own retries included


class StoreModel(ServiceModel):
    """The objects, and whether any was ever changed.

    says_others: whether a look at another e-mail's object says which it is; else only that it is another.
    Where a plan says `is_probed`, a process has a store that can tell whether it is available.
    put_seconds: what each put takes, beside the way there and back.
    """

    def __init__(self, surroundings: Surroundings, *, says_others: bool) -> None:
        super().__init__("store", ArchiveUnavailableError, surroundings)
        self.objects: dict[str, bytes] = {}
        self.changed: list[str] = []
        self.created_at: dict[bytes, float] = {}
        self.put_seconds = 0.0
        self._says_others = says_others
        self._under_way: set[str] = set()
        self._wrong: set[object] = set()

    def create(self, name: str, body: bytes, answer: Answer) -> None:
        """Create an object, at once or in a while."""
        if self._fails_alone(name):
            answer(self.error("create: one name fails"))
        elif name in self._under_way:
            answer(False)  # noqa: FBT003  the answer itself
        elif window := self.struck("slow_puts", "create"):
            self._under_way.add(name)
            self.scheduler.after(window.random.uniform(0.5, 25), self._finish, name, body, answer, window)
        elif self.put_seconds:
            self.scheduler.after(self.put_seconds, lambda: answer(self.put(name, body)))
        else:
            answer(self.put(name, body))

    def put(self, name: str, body: bytes) -> bool:
        """Create-only: the one place where an object comes into being."""
        if name in self.objects:
            return False
        if self.objects.get(name, body) != body:
            self.changed.append(name)
        self.objects[name] = body
        self.created_at.setdefault(body, self.scheduler.now)
        self.trace("store", f"{name} is {identity(body)[:8]}")
        return True

    def goes_wrong(self, look: object) -> Window | None:
        """Whether a look will be wrong; the next one of the same put never is. look: stands for the put."""
        window = None if look in self._wrong else self.struck("wrong_reads", "holder")
        if window:
            self._wrong.add(look)
        else:
            self._wrong.discard(look)
        return window

    def holder(self, name: str, body: bytes, sha256: str, wrong: Window | None, answer: Answer) -> None:
        """Look at an object."""
        if self._fails_alone(name):
            answer(self.error("holder: one name fails"))
            return
        there = self.objects.get(name)
        if there is not None and self._of_name("unreadable_name", name):
            answer(ObjectUnreadableError(name, UNREADABLE))
        elif wrong:
            answer(wrong.random.choice(["", sha256_of(wrong.random.randbytes(8)).hexdigest(), None]))
        elif there is None:
            answer(None)
        elif there == body:
            answer(sha256)
        else:
            answer(identity(there) if self._says_others else "")

    def _finish(self, name: str, body: bytes, answer: Answer, window: Window) -> None:
        self._under_way.discard(name)
        fails = window.random.random() < 0.3
        answer(self.error("create: failed in the end") if fails else self.put(name, body))

    def _fails_alone(self, name: str) -> bool:
        return self._of_name("failing_name", name)

    def _of_name(self, kind: str, name: str) -> bool:
        return any(
            window.fault.kind == f"store_{kind}"
            and name.startswith(f"sqs_message_{window.fault.target}.")
            and self.struck(kind, "name") is not None
            for window in self.windows
        )


class StoreOfProcess:
    """The store, as one process has it."""

    def __init__(self, model: StoreModel, process: Process) -> None:
        self._model = model
        self._process = process

    async def create(self, name: str, body: bytes, *, sha256: str) -> bool:
        def effect(_: Fate, answer: Answer) -> None:
            self._model.create(name, body, answer)

        created: bool = await self._model.call(
            self._process, "create", effect, seconds=_CALL_SECONDS, about=f"{name} {sha256[:8]}"
        )
        return created

    async def holder(self, name: str, body: bytes, *, sha256: str) -> str | None:
        wrong = self._model.goes_wrong((asyncio.current_task(), name))

        def effect(_: Fate, answer: Answer) -> None:
            self._model.holder(name, body, sha256, wrong, answer)

        holder: str | None = await self._model.call(
            self._process, "holder", effect, seconds=_CALL_SECONDS, about=f"{name} {sha256[:8]}"
        )
        return holder


class ProbedStoreOfProcess(StoreOfProcess):
    """One that can tell without a put whether it is available."""

    async def probe(self) -> None:
        await self._model.call(self._process, "probe", lambda _, answer: answer(None), seconds=_CALL_SECONDS)
