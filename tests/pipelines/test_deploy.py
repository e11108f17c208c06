"""Deploy: it sets exactly one image, waits for it, watches it, and rolls back on failure."""

from __future__ import annotations

import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Final

import pytest

from emails import body
from pipelines.workflows import JOBS, REPOSITORY, STEPS, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.workflows import Ran

JOB: Final = JOBS["_deploy/deploy"]
ENV: Final = {"DEPLOYMENT": "broker", "KUBERNETES_NAMESPACE": "mail", "REGISTRY": "docker.io", "REGION": "eu-west-1"}
REVISION: Final = "kubectl get deployment broker --output jsonpath={.metadata.annotations"
SET: Final = "_deploy/deploy/Set the image"
ROLL_BACK: Final = "_deploy/deploy/Roll back"


class Intake(HTTPServer):
    """A server that answers every post with the same status, and records the posts."""

    status = 200
    posted: list[tuple[str, str, bytes]]  # path, Authorization, body


class Handler(BaseHTTPRequestHandler):
    server: Intake

    def do_POST(self) -> None:
        posted = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, self.headers["Authorization"], posted))
        self.send_response(self.server.status)
        self.end_headers()


@pytest.fixture
def intake() -> Iterator[Intake]:
    if shutil.which("curl") is None:
        pytest.skip("There is no curl to post an e-mail with.")
    with Intake(("127.0.0.1", 0), Handler) as intake:
        intake.posted = []
        threading.Thread(target=intake.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield intake
        intake.shutdown()


def post(folder: Path, intake: Intake, url: str) -> Ran:
    address = f"127.0.0.1:{intake.server_port}"
    settings = ENV | {"SERVICE_URL": url.format(address), "SMOKE_TOKEN": 'to"ken\\'}
    balancer = {"kubectl get service processingrequestssvc": [(0, address)]}
    return run("_deploy/deploy/Post an e-mail", folder, settings, balancer)


def test_kubectl_uses_the_cluster_and_the_namespace_of_the_settings(tmp_path: Path) -> None:
    aws, kubectl = run("_deploy/deploy/Point kubectl at the cluster", tmp_path, ENV | {"CLUSTER": "checkpoint"}).calls
    assert aws == "aws eks update-kubeconfig --region eu-west-1 --name checkpoint"
    assert kubectl == "kubectl config set-context --current --namespace mail"


def test_the_running_revision_is_recorded_before_exactly_that_image_is_set(tmp_path: Path) -> None:
    ran = run(SET, tmp_path, ENV | {"IMAGE": "an-image:1@sha256:0"}, {REVISION: [(0, "7")]})
    assert ran.outputs == {"before": "7"}
    assert ran.calls[1:] == ["kubectl set image deployment/broker broker=an-image:1@sha256:0"]
    assert STEPS[SET]["env"] == {"IMAGE": "${{ steps.registry.outputs.image }}"}


@pytest.mark.parametrize("answer", [(0, ""), (1, "error: forbidden")])
def test_a_deployment_without_a_revision_to_roll_back_to_is_left_alone(tmp_path: Path, answer: tuple[int, str]) -> None:
    ran = run(SET, tmp_path, ENV | {"IMAGE": "an-image:1@sha256:0"}, {REVISION: [answer]})
    assert (ran.code, ran.outputs, len(ran.calls)) == (1, {}, 1)


def test_a_rollout_that_fails_fails_the_deploy(tmp_path: Path) -> None:
    failed = {"kubectl rollout status deployment/broker": [(1, "error: deployment exceeded its progress deadline\n")]}
    assert run("_deploy/deploy/Wait for the rollout", tmp_path, ENV, failed).code == 1


@pytest.mark.parametrize("url", ["http://{}/process_request", ""], ids=["of the settings", "of the load balancer"])
def test_what_is_posted_is_the_email_of_the_readme_byte_for_byte(tmp_path: Path, intake: Intake, url: str) -> None:
    assert post(tmp_path, intake, url).code == 0
    assert intake.posted == [("/process_request", 'Bearer to"ken\\', b'{"data": ' + body() + b"}")]
    assert len(body()) == 131
    assert body() in (REPOSITORY / "README.md").read_bytes()


def test_any_answer_but_200_fails_the_deploy(tmp_path: Path, intake: Intake) -> None:
    intake.status = 401
    ran = post(tmp_path, intake, "http://{}/process_request")
    assert (ran.code, "answered 401" in ran.log, 'to"ken' in ran.log) == (1, True, False)
    assert post(tmp_path, intake, "nonsense://nobody").code != 0


@pytest.mark.parametrize(
    ("looks", "code", "waits"),
    [
        (["1/1"], 0, 11),
        (["1/1", "1/2", "1/2", "2/2"], 0, 14),  # an autoscaler adds a pod meanwhile
        ([*["1/1"] * 11, "/1"], 1, 36),  # a broker that cannot archive turns unready
    ],
)
def test_the_deployment_has_to_be_ready_twelve_times_in_a_row(
    tmp_path: Path, looks: list[str], code: int, waits: int
) -> None:
    answers = {"kubectl get deployment broker": [(0, look) for look in looks]}
    ran = run("_deploy/deploy/Watch it stay ready", tmp_path, ENV, answers)
    assert (ran.code, ran.of("sleep")) == (code, ["sleep 5"] * waits)


@pytest.mark.parametrize(("fails", "code"), [("get", 0), ("rollout undo", 1), ("rollout status", 1)])
def test_a_rollback_goes_to_the_recorded_revision_and_is_waited_for(tmp_path: Path, fails: str, code: int) -> None:
    ran = run(ROLL_BACK, tmp_path, ENV | {"BEFORE": "7"}, {f"kubectl {fails}": [(1, "error\n")]})
    undo = "kubectl rollout undo deployment/broker --to-revision 7"
    status = "kubectl rollout status deployment/broker --timeout=10m"
    assert ran.code == code
    assert ran.of("kubectl rollout") == ([undo] if fails == "rollout undo" else [undo, status])
    assert STEPS[ROLL_BACK]["env"] == {"BEFORE": "${{ steps.set.outputs.before }}"}


def test_the_jobs_timeout_leaves_time_for_a_rollback_after_the_last_step() -> None:
    script = "\n".join(step.get("run", "") for step in JOB["steps"])
    rollouts = sum(int(minutes) for minutes in re.findall(r"--timeout=(\d+)m", script))
    [(longest, retries, delay)] = re.findall(r"--max-time (\d+) --retry (\d+) --retry-delay (\d+)", script)
    [(looks, pause)] = re.findall(r"for _ in \{1\.\.(\d+)\}.*sleep (\d+)", script, re.DOTALL)
    seconds = int(longest) * (int(retries) + 1) + int(retries) * int(delay) + int(looks) * int(pause)
    assert JOB["timeout-minutes"] >= rollouts + seconds / 60 + 10
