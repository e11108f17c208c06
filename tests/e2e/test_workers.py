"""An intake of several processes: one port, one private port, and each worker's end is its own."""

from __future__ import annotations

import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from e2e.marked import MARK, assert_exactly, body, endless, marked, md5
from e2e.ports import free_port
from e2e.posting import TOKEN, Load, post_all, post_email
from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.on_aws import OnAWS
    from e2e.one_machine import OneMachine
    from e2e.services import Service, Services
    from e2e.worlds import World

ONE_MACHINE: Final = pytest.mark.parametrize("world", ["one_machine"], indirect=True)
ON_AWS: Final = pytest.mark.parametrize("world", ["on_aws"], indirect=True)


STUCK_AT_SIGUSR1: Final = """
import signal, sys, time

if "processing_requests.workers.worker" in sys.orig_argv:
    signal.signal(signal.SIGUSR1, lambda *_: time.sleep(3600))
"""


def workers(intake: Service) -> dict[int, int]:
    """The process of each worker, by its number."""
    return {event["worker"]: event["pid"] for event in intake.events if event["event"] == "worker_started"}


def is_running(pid: int) -> bool:
    """Whether there is such a process; one that has ended, but that nobody has waited for, is none."""
    return ps("stat", "-p", str(pid))[:1] not in ("", "Z")


def ps(column: str, *which: str) -> str:
    """A column of the list of processes."""
    listed = subprocess.run(["ps", "-o", f"{column}=", *which], capture_output=True, text=True, check=False)  # noqa: S607  wherever it is
    return listed.stdout


def events(intake: Service, name: str) -> list[dict[str, Any]]:
    return [event for event in intake.events if event["event"] == name]


def get(intake: Service, path: str) -> tuple[int, str]:
    """What the private port answers."""
    with closing(http.client.HTTPConnection("127.0.0.1", intake.private_port, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def value(intake: Service, name: str, **labels: str) -> float:
    """The value of a metric's one sample."""
    families = text_string_to_metric_families(get(intake, "/metrics")[1])
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    (found,) = [sample.value for sample in samples if sample.labels == labels]
    return found


def answered(intake: Service) -> float:
    """How many requests were answered 200, as the metrics have it."""
    return value(intake, "checkpoint_requests_total", status="200")


def is_refused(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(10)
        return client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that does nothing, as one whose loop is stuck."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_posts_reach_every_worker_and_the_metrics_are_their_sum(world: World, services: Services) -> None:
    intake = services.intake(WORKERS="2")
    emails = [marked(number) for number in range(400)]

    assert {answer.status for answer in post_all(intake.port, emails)} == {200}

    assert answered(intake) == world.waiting() == 400
    assert {event["worker"] for event in events(intake, "message_queued")} == {1, 2}
    assert value(intake, "checkpoint_request_duration_seconds_count") == 400
    assert value(intake, "checkpoint_workers_serving") == 2


@ONE_MACHINE
def test_what_is_posted_to_several_workers_is_archived_once_each(world: World, services: Services) -> None:
    intake = services.intake(WORKERS="3")
    services.broker()
    emails = [marked(number, timestream=number // 4) for number in range(400)]

    assert {answer.status for answer in post_all(intake.port, emails)} == {200}

    until(lambda: world.waiting() == 0, "the queue is empty")
    assert_exactly(world.objects(), emails)


@ONE_MACHINE
def test_connections_that_come_at_once_are_shared_evenly(services: Services) -> None:
    intake = services.intake(WORKERS="2")
    differences = sorted(abs(64 - 2 * share_of_first(intake, bursts=bursts)) for bursts in range(1, 6))
    assert differences[2] <= 20, differences  # a machine that is busy with other things may let a worker wait


def share_of_first(intake: Service, *, bursts: int) -> int:
    """How many of 64 connections that come at once the first worker gets.

    bursts: how many there were, with this one.
    """
    refused = len(of_first(intake))
    with ExitStack() as opened:
        clients = [opened.enter_context(socket.socket()) for _ in range(64)]
        for client in clients:
            client.settimeout(0)
            client.connect_ex(("127.0.0.1", intake.port))
        until(lambda: value(intake, "checkpoint_connections") == 64, "all are accepted")
        for client in clients:
            client.sendall(b"POST /process_request HTTP/1.1\r\nHost: intake\r\nContent-Length: 2\r\n\r\n{}")
        until(lambda: len(events(intake, "request_refused")) == 64 * bursts, "all are answered")
    until(lambda: value(intake, "checkpoint_connections") == 0, "all have left")
    return len(of_first(intake)) - refused


def of_first(intake: Service) -> list[dict[str, Any]]:
    return [event for event in events(intake, "request_refused") if event["worker"] == 1]


def test_a_worker_that_is_killed_under_load_loses_no_200_and_is_started_again(world: World, services: Services) -> None:
    intake = services.intake(WORKERS="2")
    first = workers(intake)

    with Load(intake.port, endless()) as load:
        until(lambda: len(load.answers) >= 300, "300 e-mails are answered")
        counted = answered(intake)
        os.kill(first[1], signal.SIGKILL)
        until(lambda: value(intake, "checkpoint_workers_serving") == 1, "one is left")
        assert intake.is_ready()
        assert answered(intake) >= counted
        until(lambda: value(intake, "checkpoint_workers_serving") == 2, "there are two again")
        before = len(load.answers)
        until(lambda: len(load.answers) >= before + 300, "300 more are answered")
    assert answered(intake) >= counted
    services.broker()

    until(lambda: world.waiting() == 0, "the queue is empty")
    archived = set(world.objects().values())
    assert [data for data in load.kept if md5(body(data)) not in archived] == []
    assert {answer.status for _, answer in load.answers} == {200}
    assert [event["reason"] for event in events(intake, "worker_ended")] == ["SIGKILL"]
    assert value(intake, "checkpoint_worker_restarts_total") == 1
    assert workers(intake)[2] == first[2]


def test_a_worker_that_is_told_to_stop_answers_what_came_and_is_replaced(world: World, services: Services) -> None:
    intake = services.intake(WORKERS="2")

    with Load(intake.port, endless()) as load:
        until(lambda: len(load.answers) >= 300, "300 e-mails are answered")
        os.kill(workers(intake)[1], signal.SIGTERM)
        until(lambda: value(intake, "checkpoint_worker_restarts_total") == 1, "it is started again")
        until(lambda: value(intake, "checkpoint_workers_serving") == 2, "there are two again")

    assert load.torn == []
    assert {answer.status for _, answer in load.answers} == {200}
    assert answered(intake) == len(load.answers) <= world.waiting()


def test_several_workers_stopped_under_load_answer_whole_and_keep_what_they_answered_200(
    world: World, services: Services
) -> None:
    intake = services.intake(WORKERS="2")
    pids = workers(intake).values()
    services.broker()

    with Load(intake.port, endless()) as load:
        until(lambda: len(load.answers) >= 300, "300 e-mails are answered")
        assert intake.terminate() == 0

    assert load.torn == []
    assert {answer.status for _, answer in load.answers} == {200}
    assert [event.get("worker") for event in events(intake, "stopped")][-1] is None
    assert {event.get("worker") for event in events(intake, "stopped")} == {1, 2, None}
    assert [event for event in intake.events if event["level"] in ("warning", "error")] == []
    assert not any(map(is_running, pids))
    until(lambda: world.waiting() == 0, "the queue is empty")
    archived = set(world.objects().values())
    assert [data for data in load.kept if md5(body(data)) not in archived] == []


@ONE_MACHINE
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_workers_stop_within_two_seconds_however_the_signal_reaches_them(
    services: Services, number: signal.Signals
) -> None:
    intake = services.intake(WORKERS="2")
    began = time.monotonic()
    os.killpg(intake.process.pid, number)
    for pid in workers(intake).values():
        os.kill(pid, number)
    assert intake.process.wait(10) == 0
    assert time.monotonic() - began < 2
    assert [event["event"] for event in intake.events].count("stopped") == 3
    assert events(intake, "worker_ended") == []


@ONE_MACHINE
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_workers_stopped_before_they_have_started_leave_nothing_and_no_word(
    services: Services, number: signal.Signals
) -> None:
    intake = services.start("processing_requests", WORKERS="2", PORT=str(free_port()))
    until(lambda: intake.log.count("worker_started") == 2, "the workers are being started")
    os.killpg(intake.process.pid, number)
    assert intake.process.wait(10) == 0
    assert [event["event"] for event in intake.events][-1] == "stopped"
    assert [event for event in intake.events if event["level"] in ("warning", "error")] == []


@ONE_MACHINE
def test_while_workers_answer_the_last_requests_no_connection_is_taken(services: Services) -> None:
    intake = services.intake(WORKERS="2")
    with socket.create_connection(("127.0.0.1", intake.port), timeout=10) as client:
        head = b"POST /process_request HTTP/1.1\r\nHost: intake\r\nContent-Type: application/json\r\nContent-Length: 2"
        client.sendall(head + b"\r\n\r\n{")
        until(lambda: value(intake, "checkpoint_bodies_arriving_bytes") > 0, "the request is under way")
        intake.process.send_signal(signal.SIGTERM)
        until(lambda: is_refused(intake.port), "no connection is taken any more")
        assert intake.process.poll() is None
        client.sendall(b"}")
        assert client.recv(1000).startswith(b"HTTP/1.1 401 ")
    assert intake.process.wait(10) == 0


@ONE_MACHINE
def test_workers_whose_parent_is_killed_drain_and_leave_the_port(one_machine: OneMachine, services: Services) -> None:
    intake = services.intake(WORKERS="2")
    pids = workers(intake).values()

    with Load(intake.port, endless()) as load:
        until(lambda: len(load.answers) >= 300, "300 e-mails are answered")
        intake.kill()
        until(lambda: not any(map(is_running, pids)), "the workers have ended", within=10)

    assert load.torn == []
    assert one_machine.waiting() >= len(load.kept)
    assert {event["worker"] for event in events(intake, "parent_lost")} == {1, 2}
    with socket.create_server(("127.0.0.1", intake.port)):
        pass


@ONE_MACHINE
def test_a_worker_that_is_stuck_when_its_parent_is_killed_ends_too_and_leaves_the_port(
    services: Services, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(STUCK_AT_SIGUSR1)
    environment = {"PYTHONPATH": str(tmp_path), "DRAIN_SECONDS": "0.2", "QUEUE_TIMEOUT_SECONDS": "0.2"}
    intake = services.intake(WORKERS="2", **environment)
    pids = workers(intake)
    os.kill(pids[2], signal.SIGUSR1)
    until(lambda: get(intake, "/livez")[0] == 503, "it is stuck")

    intake.kill()

    until(lambda: not any(map(is_running, pids.values())), "both have ended", within=15)
    assert [event["worker"] for event in events(intake, "parent_lost")] == [1]
    with socket.create_server(("127.0.0.1", intake.port)):
        pass


@ONE_MACHINE
def test_a_worker_that_is_stuck_is_not_alive_and_holds_nobody_up(services: Services) -> None:
    intake = services.intake(WORKERS="2")
    post_all(intake.port, [marked(number) for number in range(100)])
    assert get(intake, "/livez") == (200, '{"alive": true}')
    counted = answered(intake)

    with stopped(workers(intake)[2]):
        for path, expected in (("/livez", 503), ("/readyz", 503), ("/metrics", 200)):
            began = time.monotonic()
            assert get(intake, path)[0] == expected
            assert time.monotonic() - began < 3
        assert intake.readiness()[1]["faults"] == {"worker 2": "does not answer"}
        assert answered(intake) == counted
        assert post_email(intake.port, marked(1000)).status == 200
    until(lambda: get(intake, "/livez")[0] == 200, "it is alive again")
    assert intake.is_ready()
    assert [event["worker"] for event in events(intake, "worker_stuck")] == [2]


@ONE_MACHINE
def test_a_worker_that_is_stuck_when_all_stop_is_killed_and_told(services: Services) -> None:
    intake = services.intake(WORKERS="2", DRAIN_SECONDS="0.5", QUEUE_TIMEOUT_SECONDS="0.5")
    pids = workers(intake)
    os.kill(pids[2], signal.SIGSTOP)
    assert intake.terminate() == 1
    assert [event["worker"] for event in events(intake, "worker_killed")] == [2]
    assert not any(map(is_running, pids.values()))


@ONE_MACHINE
def test_an_outage_of_the_queue_makes_it_unready_and_ready_again(world: World, services: Services) -> None:
    intake = services.intake(WORKERS="2")
    with world.queue_away():
        until(lambda: post_email(intake.port, marked(0)).status == 503, "a worker has noticed")
        until(lambda: not intake.is_ready(), "it is not ready")
    until(intake.is_ready, "it is ready again")


@ON_AWS
def test_a_token_is_rotated_in_all_workers_and_in_those_that_start_later(on_aws: OnAWS, services: Services) -> None:
    new = f"{MARK}-new-token"
    intake = services.intake(WORKERS="2", TOKEN_REFRESH_SECONDS="0.2")

    def statuses(token: str) -> set[int]:
        return {post_email(intake.port, marked(0), token=token).status for _ in range(8)}

    assert (statuses(TOKEN), statuses(new)) == ({200}, {401})
    on_aws.set_token(new)
    until(lambda: statuses(new) == {200}, "the new token is taken")
    assert statuses(TOKEN) == {401}
    os.kill(workers(intake)[1], signal.SIGKILL)
    until(lambda: value(intake, "checkpoint_worker_restarts_total") == 1, "it is started again")
    until(lambda: value(intake, "checkpoint_workers_serving") == 2, "there are two again")
    killed = workers(intake)[2]
    os.kill(killed, signal.SIGKILL)
    until(lambda: not is_running(killed), "only the later one is left")
    assert (statuses(TOKEN), statuses(new)) == ({401}, {200})


def start_in_vain(directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "processing_requests"],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory), "PORT": "0", "PRIVATE_PORT": "0"} | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"QUEUE_URL": "https://127.0.0.1/1/s3cret"},
        {"QUEUE_URL": "https://h/1/s3cret.fifo", "AWS_REGION": "eu-west-3"},
        {"QUEUE_URL": "sqlite:///q.db?s3cret=1"},
        {"TOKEN": ","},
        {"PORT": "abc", "LOG_LEVEL": "loud"},
        {"PORT": "taken"},
        {"PRIVATE_PORT": "taken"},
    ],
    ids=str,
)
def test_what_one_process_cannot_start_with_several_cannot_and_say_the_same(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = {name: str(taken.getsockname()[1]) if text == "taken" else text for name, text in environment.items()}
        one, several = (start_in_vain(tmp_path, WORKERS=count, **given) for count in ("1", "3"))
    assert one.returncode == several.returncode == 1
    assert one.stderr.startswith("processing_requests cannot start: ")
    assert several.stderr == one.stderr
    assert "s3cret" not in several.stdout + several.stderr


@pytest.mark.parametrize("count", ["0", "-1", "1.5", "many", "257", "2 "])
def test_a_number_of_workers_that_is_none_is_named(count: str, tmp_path: Path) -> None:
    ended = start_in_vain(tmp_path, WORKERS=count)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("processing_requests cannot start: WORKERS: must be ")


def test_workers_that_end_as_soon_as_they_start_are_given_up(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif 'processing_requests.workers.worker' in sys.orig_argv: os.abort()\n"
    )
    ended = start_in_vain(tmp_path, WORKERS="2", LOG_FORMAT="json", PYTHONPATH=str(tmp_path))
    assert ended.returncode == 1
    assert '"reason": "SIGABRT"' in ended.stdout
    assert '"event": "workers_given_up"' in ended.stdout.splitlines()[-1]


@ONE_MACHINE
def test_a_single_worker_is_the_process_itself(services: Services) -> None:
    intake = services.intake(WORKERS="1")
    assert post_email(intake.port, marked(0)).status == 200
    assert [event for event in intake.events if "worker" in event] == []
    assert ps("pid", "--ppid", str(intake.process.pid)) == ""
