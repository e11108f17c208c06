"""What a load balancer sees of several workers."""

from __future__ import annotations

from processing_requests.workers.messages import HealthAnswer
from processing_requests.workers.readiness import readiness_of_all

WELL = HealthAnswer()
QUEUE_DOWN = HealthAnswer(faults={"queue": "down"})


def test_workers_that_are_all_well_are_ready() -> None:
    assert readiness_of_all({1: WELL, 2: WELL}, starting=[], down={}) == ({}, {})


def test_what_all_say_alike_is_said_once() -> None:
    warned = HealthAnswer(faults={"queue": "down"}, warnings={"object": "odd"})
    assert readiness_of_all({1: warned, 2: warned}, starting=[], down={}) == ({"queue": "down"}, {"object": "odd"})


def test_what_one_says_is_a_fault_of_all_and_names_the_worker() -> None:
    assert readiness_of_all({1: WELL, 2: QUEUE_DOWN}, starting=[], down={}).faults == {"queue (worker 2)": "down"}


def test_reasons_that_differ_are_all_told() -> None:
    denied = HealthAnswer(faults={"queue": "denied"}, warnings={"a": "b"})
    faults, warnings = readiness_of_all({1: denied, 2: QUEUE_DOWN}, starting=[], down={})
    assert faults == {"queue (worker 1)": "denied", "queue (worker 2)": "down"}
    assert warnings == {"a (worker 1)": "b"}


def test_a_worker_that_does_not_answer_is_a_fault_for_it_holds_connections() -> None:
    assert readiness_of_all({1: WELL, 2: None}, starting=[], down={}).faults == {"worker 2": "does not answer"}


def test_until_every_worker_has_started_once_it_is_not_ready() -> None:
    assert readiness_of_all({1: WELL}, starting=[2], down={}).faults == {"worker 2": "has not started yet"}


def test_a_worker_that_is_started_again_is_a_warning_while_others_serve_and_a_fault_when_none_does() -> None:
    assert readiness_of_all({1: WELL}, starting=[], down={2: "SIGKILL"}) == ({}, {"worker 2": "SIGKILL"})
    assert readiness_of_all({}, starting=[], down={1: "exit code 1", 2: "SIGKILL"}) == (
        {"worker 1": "exit code 1", "worker 2": "SIGKILL"},
        {},
    )
