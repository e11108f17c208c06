"""Both images, run as a hardened cluster runs them: not root, no capabilities, only the volume is writable."""

from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest

from e2e.marked import body, marked, md5
from e2e.posting import post, post_all
from e2e.test_assignment import CONTENT, GOOD, NAME
from e2e.waiting import until
from images.conftest import BROKER, INTAKE

if TYPE_CHECKING:
    from images.conftest import Start
    from images.engine import Container, Engine

pytestmark = pytest.mark.needs_containers

LIST: Final = (
    "import hashlib, json, pathlib; found = pathlib.Path('data/archive').glob('*.json');"
    "print(json.dumps({path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in found}))"
)
# Of process 1, from /proc/1/status.
RIGHTS: Final = {
    "Uid": {"10001"},
    "Gid": {"10001"},
    "CapEff": {"0" * 16},
    "CapBnd": {"0" * 16},
    "NoNewPrivs": {"1"},
}
# Accepts one connection, prints a word, and never answers.
BLACK_HOLE: Final = (
    "import signal, socket; server = socket.create_server(('127.0.0.1', 4566)); "
    "taken = server.accept(); print('taken', flush=True); signal.pause()"
)


def objects(container: Container) -> dict[str, str]:
    """The MD5 of every object in the archive, by its name."""
    found: dict[str, str] = json.loads(container.execute("python", "-c", LIST).stdout)
    return found


def takes_requests(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/openapi.json")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        return True


def test_the_email_of_the_assignment_is_archived_and_both_services_stop_with_exit_code_0(
    start_intake: Start, start_broker: Start
) -> None:
    intake, broker = start_intake(), start_broker()

    answer = post(intake.port(5001), GOOD)

    assert (answer.status, answer.body) == (200, b'{"message": "Request processed successfully"}')
    until(lambda: objects(broker) == {NAME: md5(CONTENT)}, "the archive holds that object and no other")
    assert broker.execute("cat", f"data/archive/{NAME}").stdout.encode() == CONTENT
    assert len(CONTENT) == 131
    for service in (intake, broker):
        assert service.stop() == 0
        assert json.loads(service.log.splitlines()[-1])["event"] == "stopped"


def test_a_request_in_progress_when_the_intake_is_stopped_is_answered_and_archived(
    start_intake: Start, start_broker: Start
) -> None:
    intake = start_intake()
    port = intake.port(5001)
    with ThreadPoolExecutor() as pool, closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
        client.putrequest("POST", "/process_request")
        client.putheader("Content-Type", "application/json")
        client.putheader("Content-Length", str(len(GOOD)))
        client.putheader("Expect", "100-continue")
        client.endheaders()
        assert client.sock.recv(1000).startswith(b"HTTP/1.1 100 ")  # it has begun to read the body
        stopping = pool.submit(intake.stop)
        until(lambda: not takes_requests(port), "no further request is taken")
        refused = time.monotonic()
        until(lambda: time.monotonic() - refused > 1, "it would be over by now, had it not been waited for")
        client.send(GOOD)
        assert client.getresponse().status == 200
        assert stopping.result() == 0

    broker = start_broker()
    until(lambda: objects(broker) == {NAME: md5(CONTENT)}, "the e-mail is archived")


def test_a_broker_that_is_stopped_releases_its_messages_for_the_next_one(
    start_intake: Start, start_broker: Start
) -> None:
    emails = [marked(number, timestream=number) for number in range(2000)]
    intake = start_intake()
    assert {answer.status for answer in post_all(intake.port(5001), emails)} == {200}

    # The visibility timeout is longer than this test: the second broker gets the messages only if they were released.
    # With 16 slots the first one needs a while.
    first = start_broker("--env=VISIBILITY_SECONDS=600", "--env=SLOTS=16")
    until(lambda: objects(intake), "the first are archived")
    assert first.stop() == 0
    assert len(objects(intake)) < len(emails)

    start_broker()
    until(lambda: len(objects(intake)) >= len(emails), "all are archived")
    assert sorted(objects(intake).values()) == sorted(md5(body(data)) for data in emails)


@pytest.mark.parametrize("image", [INTAKE, BROKER])
def test_a_service_stopped_while_it_waits_for_its_settings_ends_with_exit_code_0(engine: Engine, image: str) -> None:
    black_hole = engine.start(image, command=["python", "-c", BLACK_HOLE])
    service = engine.start(
        image,
        f"--network=container:{black_hole.id}",
        "--env=AWS_ENDPOINT_URL=http://127.0.0.1:4566",
        "--env=AWS_REGION=us-east-1",
        "--env=AWS_ACCESS_KEY_ID=test",
        "--env=AWS_SECRET_ACCESS_KEY=test",
        "--env=QUEUE_URL=ssm:/checkpoint/sqs_queue_url",
    )
    until(lambda: "taken" in black_hole.log, "it asks for its settings")

    assert service.stop() == 0
    assert service.log == ""


def test_the_health_check_of_each_image_says_whether_its_service_is_alive(
    engine: Engine, start_intake: Start, start_broker: Start
) -> None:
    for image, service in ((INTAKE, start_intake()), (BROKER, start_broker())):
        kind, *command = engine.inspect(image)["Healthcheck"]["Test"]
        assert kind == "CMD"
        assert service.execute(*command).returncode == 0
        elsewhere = service.execute("env", "PRIVATE_PORT=1", *command)
        assert (elsewhere.returncode, elsewhere.stdout) == (1, "")
        assert "ConnectionRefusedError" in elsewhere.stderr


def test_a_service_has_no_rights_and_can_write_to_its_data_only(start_intake: Start, start_broker: Start) -> None:
    for service in (start_intake(), start_broker()):
        status = dict(line.split(":", 1) for line in service.execute("cat", "/proc/1/status").stdout.splitlines())
        assert {name: set(status[name].split()) for name in RIGHTS} == RIGHTS
        for directory in ("/app", "/venv", "/srv", "/tmp"):  # noqa: S108  to see that it cannot be used
            assert service.execute("touch", f"{directory}/written").returncode != 0
        assert service.execute("touch", "/srv/data/written").returncode == 0


@pytest.mark.parametrize("image", [INTAKE, BROKER])
def test_each_image_checks_itself_and_changes_nothing(engine: Engine, image: str) -> None:
    checked = engine.run("run", "--rm", "--no-healthcheck", "--env=TOKEN=t", "--network=none", image, "--check")
    assert checked.returncode == 0, checked.stdout
    assert {line[0] for line in checked.stdout.splitlines()} == {"✓"}
    refused = engine.run("run", "--rm", "--no-healthcheck", "--env=QUEUE_URL=kafka:", image, "--check")
    assert (refused.returncode, refused.stdout[:22]) == (1, "✗ settings: QUEUE_URL:")


def test_the_intake_starts_with_no_token_of_its_own(engine: Engine) -> None:
    intake = engine.start(INTAKE)
    assert intake.exit_code() == 1
    assert intake.log.startswith("processing_requests cannot start: TOKEN: is not set")
