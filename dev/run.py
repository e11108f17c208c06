"""Start both services of the Procfile; once they are ready, print how to post an e-mail."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from datetime import UTC
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from honcho.environ import parse_procfile
from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Printer

if TYPE_CHECKING:
    from honcho.printer import Message

WELCOME = """
Checkpoint takes e-mails at {address}/process_request (token: {token}). Post one:

  curl -X POST -H "Content-Type: application/json" -d '{{"data": {{"email_subject": "Your Subject", \
"email_sender": "Your Sender", "email_timestream": "1706213694", "email_content": "Your Content"}}, \
"token": "{token}"}}' {address}/process_request

and read it:  cat '{archive}/sqs_message_1706213694.json'
What can be posted: {address}/docs    Ctrl-C stops both services.
"""
PROCFILE = Path(__file__).parents[1] / "Procfile"
READY_TIMEOUT_SECONDS = 20
STOPPED_BY_CTRL_C = 128 + signal.SIGINT  # honcho's exit code


class Lines(Printer):  # type: ignore[misc]  # honcho ships no types
    """Prints each line behind the name of its process, without honcho's time: the services' lines have their own."""

    def __init__(self) -> None:
        super().__init__(sys.stdout, time_format="")

    def write(self, message: Message) -> None:
        """Print the lines of a message; those of honcho itself with their time, in the services' form."""
        if message.name == SYSTEM_PRINTER_NAME:
            when = message.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            message = message._replace(data=f"{when} {message.data}")
        super().write(message)


def print_welcome() -> None:
    """Wait until both services are ready, then print their address; print nothing where one does not get ready."""
    archive = urlsplit(os.environ["ARCHIVE_URL"])
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    while not all(map(is_ready, private_ports())):
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)
    sys.stdout.write(
        WELCOME.format(
            address=f"http://{os.environ.get('HOST', '127.0.0.1')}:{os.environ['PORT']}",
            token=os.environ.get("TOKEN", "foobar").partition(",")[0],
            archive=unquote(archive.path) if archive.scheme == "file" else os.environ["ARCHIVE_URL"],
        )
    )
    sys.stdout.flush()


def private_ports() -> list[int]:
    """The ports where the two services answer whether they are ready."""
    return [int(os.environ.get("INTAKE_PRIVATE_PORT", "9001")), int(os.environ.get("BROKER_PRIVATE_PORT", "9002"))]


def is_ready(port: int) -> bool:
    """Whether a service answers so on its private port."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        response.read()
    except (OSError, HTTPException):
        return False
    else:
        return response.status == 200  # noqa: PLR2004  OK
    finally:
        connection.close()


def main() -> None:
    """Set the variables that the services need, and let honcho run them until one ends."""
    data = Path(os.environ.get("DATA", "data")).absolute()
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ.setdefault("QUEUE_URL", f"sqlite:///{quote(str(data))}/queue.db")
    if "DATA" in os.environ and "ARCHIVE_URL" not in os.environ:
        (data / "archive").mkdir(parents=True, exist_ok=True)  # the broker makes its default directory, and no other
    os.environ.setdefault("ARCHIVE_URL", (data / "archive").as_uri())
    os.environ.setdefault("PORT", "5001")
    if sys.stdout.isatty():
        os.environ.setdefault("LOG_FORMAT", "console")
    if not any(map(is_ready, private_ports())):  # else another run uses these ports, and this one ends
        threading.Thread(target=print_welcome, daemon=True).start()
    manager = Manager(Lines())
    for name, command in parse_procfile(PROCFILE.read_text()).processes.items():
        manager.add_process(name, command)
    manager.loop()
    sys.exit(0 if manager.returncode == STOPPED_BY_CTRL_C else manager.returncode)


if __name__ == "__main__":
    main()
