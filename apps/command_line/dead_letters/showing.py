"""`checkpoint dead-letters show`: what a dead letter is, why it is no e-mail, and its body where that was asked for."""

from __future__ import annotations

import base64
import os
import sys
from typing import TYPE_CHECKING

from rich.text import Text

from checkpoint.email import Email, NotAnEmailError
from command_line.dead_letters.listing import described, shown_reason
from command_line.dead_letters.looking import Look
from command_line.moments import shown
from command_line.output import notes, print_json, results
from command_line.running import CommandError, ExitCode
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from checkpoint.message_queue.admin import AdminQueue, DeadLetter


async def show_dead_letters(
    admin: AdminQueue, ids: Sequence[str], *, content: bool, output: Path | None, as_json: bool
) -> ExitCode:
    """Print some dead letters in the order of their ids as they are found.

    content: with their bodies. output: a file to write the body of the only one to; then it is not printed.
    """
    missing = set(ids)
    async with Look(admin) as look:
        async for letter in look.dead_letters():
            if letter.id not in missing:
                continue
            missing.remove(letter.id)
            if output is not None:
                _write(output, letter.body)
            if as_json:
                print_json(described(letter) | _checked(letter.body) | (_content(letter.body) if content else {}))
            elif content and not sys.stdout.isatty():
                sys.stdout.buffer.write(letter.body)
                sys.stdout.buffer.flush()
            else:
                _print(letter, content=content)
            if not missing:
                break
    for id_ in sorted(missing):
        notes().print(Text(f"There is no dead letter {harmless(id_)}."))
    return ExitCode.NOT_AS_ASKED if missing else ExitCode.AS_ASKED


def faults_of(body: bytes) -> list[str]:
    """Why a body is no e-mail, none where it is one; never its content."""
    try:
        Email.read(body)
    except NotAnEmailError as error:
        return [f"{fault.pointer or 'the body'} {fault.reason}" for fault in error.faults]
    return []


def _checked(body: bytes) -> dict[str, object]:
    """What the contract says of a body. The identity and the timestream are those of an e-mail."""
    if faults := faults_of(body):
        return {"is_email": False, "faults": faults}
    email = Email.read(body)
    return {"is_email": True, "faults": [], "timestream": email.timestream, "identity": email.identity}


def _content(body: bytes) -> dict[str, object]:
    try:
        return {"content": body.decode()}
    except UnicodeDecodeError:
        return {"content_base64": base64.b64encode(body).decode()}


def _print(letter: DeadLetter, *, content: bool) -> None:
    lines = {
        "id": harmless(letter.id),
        "dead-lettered": shown(letter.dead_at),
        "sent": shown(letter.sent_at),
        "bytes": f"{len(letter.body):,}",
        "receives": "unknown" if letter.receive_count is None else str(letter.receive_count),
        "reason": shown_reason(letter.reason),
    }
    checked = _checked(letter.body)
    if checked["is_email"]:
        lines |= {"e-mail": "yes", "timestream": str(checked["timestream"]), "identity": str(checked["identity"])}
    else:
        lines["e-mail"] = "no: " + " ".join(faults_of(letter.body))
    if content:
        lines["content"] = harmless(letter.body.decode(errors="backslashreplace"))
    console = results()
    for name, value in lines.items():
        console.print(Text(f"{name:<15}{value}"), soft_wrap=True)
    console.print()


def _write(path: Path, body: bytes) -> None:
    """The exact bytes, in a file that only its owner may read if it is new: it is somebody's e-mail."""
    try:
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(body)
    except OSError as error:
        raise CommandError(f"{harmless(str(path))}: {error.strerror}", ExitCode.UNAVAILABLE) from None
