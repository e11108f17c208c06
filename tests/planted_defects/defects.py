"""Defects that the simulation and the chaos suite must catch: each one an edit of the sources that breaks a promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple


class Edit(NamedTuple):
    """One replacement. file: below the repository. old: what stands there exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Defect:
    """One way to break a promise.

    name: what the code then does wrong, in words joined by underscores.
    chaos: arguments of the chaos suite. One entry of a call that fails, and a read that is wrong, are on AWS only. What
        one object that fails does to the others is a scenario of its own.
    """

    name: str
    edits: tuple[Edit, ...]
    chaos: tuple[str, ...] = ("--on", "embedded", "--seconds", "20")


_SENDER: Final = "apps/processing_requests/queue_sender.py"
_BROKER: Final = "apps/message_broker/message_broker.py"
_IN_FLIGHT: Final = "apps/message_broker/in_flight.py"
_FETCHING: Final = "apps/message_broker/fetching.py"
_ARCHIVE: Final = "src/checkpoint/archive/archive.py"

DEFECTS: Final = (
    Defect(
        "answers_before_the_queue_confirms",
        (
            Edit(
                _SENDER,
                "            self._batcher.put(body, partial(self._end, done, self._calls.now()))\n",
                "            self._batcher.put(body, lambda _: None)\n            done(None)\n",
            ),
        ),
    ),
    Defect(
        "deletes_before_the_put",
        (
            Edit(
                _BROKER,
                "        try:\n            message_id, outcome = await self._archive(delivery.message)\n",
                '        await self._delete(delivery, "")\n'
                "        try:\n            _, outcome = await self._archive(delivery.message)\n",
            ),
            Edit(
                _BROKER,
                "        await self.in_flight.free_slot(delivery)\n        await self._delete(delivery, message_id)\n",
                "",
            ),
        ),
    ),
    Defect(
        "overwrites_objects",
        (
            Edit(
                "src/checkpoint/archive/local_files.py",
                "                os.link(staged, name, src_dir_fd=opened.staging, dst_dir_fd=opened.directory)\n",
                "                os.rename(staged, name, src_dir_fd=opened.staging, dst_dir_fd=opened.directory)\n",
            ),
            Edit("src/checkpoint/archive/object_store.py", 'mode="create"', 'mode="overwrite"'),
            Edit(
                "tests/simulation/store_model.py",
                "        if name in self.objects:\n            return False\n",
                "",
            ),
        ),
    ),
    Defect(
        "releases_on_an_error_of_the_store",
        (
            Edit(
                _BROKER,
                "self.breaker.until_available(\n"
                "            ARCHIVE,\n"
                "            lambda: self.archive.put(email),\n"
                "            message_id=email.identity,\n"
                "            answers=(NamesTakenError, ObjectUnreadableError),\n"
                "        )",
                "self.archive.put(email)",
            ),
        ),
    ),
    Defect(
        "fails_a_batch_for_one_of_its_entries",
        (
            Edit(
                _SENDER,
                "            faults = await self.queue.send(bodies)\n",
                "            faults = await self.queue.send(bodies)\n"
                "            worst = next((fault for fault in faults if fault), None)\n"
                "            faults = [worst] * len(faults)\n",
            ),
        ),
        chaos=("--on", "aws", "--seconds", "40"),
    ),
    Defect(
        "loses_a_slot",
        (
            Edit(
                _IN_FLIGHT,
                "        if delivery.has_slot:\n            self._free_slot(delivery)\n        else:\n",
                "        if not delivery.has_slot:\n",
            ),
        ),
    ),
    Defect(
        "believes_a_wrong_read",
        (
            Edit(
                _ARCHIVE,
                "        if holder != await self._store.holder(name, email.body, sha256=email.identity):\n"
                '            raise ArchiveUnavailableError("two looks at an object contradict each other")\n',
                "",
            ),
        ),
        chaos=("--on", "aws", "--seconds", "40"),
    ),
    Defect(
        "receives_nothing_while_a_put_is_tried_again",
        (
            Edit(
                _FETCHING,
                "            asked = await self.breaker.admit(reserved.messages)\n",
                '            while self.breaker.is_retrying("archive"):\n'
                "                await asyncio.sleep(1)\n"
                "            asked = await self.breaker.admit(reserved.messages)\n",
            ),
        ),
        chaos=("--on", "embedded", "--scenario", "failing-object"),
    ),
)
