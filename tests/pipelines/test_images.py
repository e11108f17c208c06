"""The name and the tag of an image, and the registry's answers about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pipelines.workflows import JOBS, REPOSITORY, run

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.workflows import Ran

BUILDING: Final = {"APP": "message_broker", "REGISTRY": "docker.io"}
DEPLOYING: Final = {"DEPLOYMENT": "d", "KUBERNETES_NAMESPACE": "n", "REGISTRY": "docker.io", "REGION": "eu-west-1"}
BUILT: Final = BUILDING | {
    "NAMESPACE": "somebody",
    "IMAGE": "an-image",
    "VERSION": "1.0",
    "RELEASE": "false",
    "RUN_NUMBER": "42",
}
DEPLOYED: Final = DEPLOYING | {"NAMESPACE": "somebody", "IMAGE": "an-image", "TAG": "1.0.42", "SMOKE_TOKEN": "token"}
IMAGE: Final = "somebody/an-image:1.0.503"
DIGEST: Final = f"sha256:{'0a' * 32}"
BUSY: Final = "Run this job again"


def name(folder: Path, settings: dict[str, str]) -> Ran:
    return run(f"{'_build/build' if 'APP' in settings else '_deploy/deploy'}/Name the image", folder, settings)


@pytest.mark.parametrize(("registry", "prefix"), [("docker.io", ""), ("ghcr.io", "ghcr.io/")])
def test_an_image_is_named_by_registry_account_and_tag(tmp_path: Path, registry: str, prefix: str) -> None:
    built, deployed = (name(tmp_path, each | {"REGISTRY": registry}).outputs for each in (BUILT, DEPLOYED))
    assert built == {"image": f"{prefix}somebody/an-image", "tag": "1.0.42"}
    assert deployed == {"image": f"{prefix}somebody/an-image:1.0.42"}


def test_a_release_has_a_tag_of_its_own_which_can_be_deployed(tmp_path: Path) -> None:
    built = name(tmp_path, BUILT | {"VERSION": "1.0.42", "RELEASE": "true"})
    assert built.outputs == {"image": "somebody/an-image", "tag": "v1.0.42"}
    assert name(tmp_path, DEPLOYED | {"TAG": "v1.0.42"}).outputs == {"image": "somebody/an-image:v1.0.42"}


@pytest.mark.parametrize("app", ["processing_requests", "message_broker"])
def test_each_service_is_built_and_deployed_by_the_name_that_its_dockerfile_gives_it(app: str) -> None:
    built, deployed = JOBS[f"build-{app}/build"]["with"], JOBS[f"deploy-{app}/deploy"]["with"]
    assert (built["app"], built["version"]) == (app, f"${{{{ vars.{app.upper()}_VERSION }}}}")
    assert built["image"] == deployed["image"]
    assert f'image.title="{built["image"]}"' in (REPOSITORY / "apps" / app / "Dockerfile").read_text()


@pytest.mark.parametrize(
    ("settings", "variable", "values", "said"),
    [
        (BUILT, "VERSION", ["", "v1", "1.0 --push", "1..0", "1.0\n", "$(id)"], "MESSAGE_BROKER_VERSION"),
        (BUILT, "NAMESPACE", ["", "Somebody", "-somebody", "a b"], "IMAGE_NAMESPACE"),
        (DEPLOYED, "NAMESPACE", ["", "Somebody", "-somebody", "a b"], "IMAGE_NAMESPACE"),
        (DEPLOYED, "TAG", ["", "a b", "$(id)", "../x", "1@sha256:0", "-x", "1\nx", "x" * 129], "The input is no tag"),
        (DEPLOYED, "REGION", [""], "AWS_REGION"),
        (DEPLOYED, "SMOKE_TOKEN", [""], "SMOKE_TOKEN"),
    ],
)
def test_a_setting_that_is_wrong_or_missing_is_refused_and_named(
    tmp_path: Path, settings: dict[str, str], variable: str, values: list[str], said: str
) -> None:
    for value in values:
        ran = name(tmp_path, settings | {variable: value})
        assert (ran.code, ran.outputs, said in ran.log) == (1, {}, True), value


@pytest.mark.parametrize(("username", "logins"), [("me", 1), ("", 0)])
def test_the_password_goes_to_the_registry_by_stdin_alone(tmp_path: Path, username: str, logins: int) -> None:
    account = {"USERNAME": "me", "PASSWORD": "secret"}
    built = run("_build/build/Log in to the registry", tmp_path, BUILDING | account)
    deployed = run("_deploy/deploy/Log in to the registry", tmp_path, DEPLOYING | account | {"USERNAME": username})
    assert (built.code, built.log, deployed.code, deployed.log) == (0, "", 0, "")
    assert built.calls == ["docker login docker.io --username me --password-stdin <<<secret"]
    assert deployed.calls == built.calls[:logins]


@pytest.mark.parametrize(
    ("answer", "code", "log"),
    [
        ((0, f"Name: {IMAGE}"), 1, "is in the registry already"),
        ((1, "toomanyrequests: You have reached your unauthenticated pull rate limit"), 1, BUSY),
        ((1, "unknown: unexpected status from HEAD request: 429 Too Many Requests"), 1, BUSY),
        ((1, "unknown: unexpected status from HEAD request: 503 Service Unavailable"), 1, BUSY),
        ((1, "403 Forbidden: API rate limit exceeded"), 1, BUSY),
        ((1, "unknown: unexpected status from HEAD request: 500"), 1, BUSY),
        ((1, "dial tcp: i/o timeout"), 1, BUSY),
        ((1, "tls: x509: certificate signed by unknown authority"), 1, BUSY),
        ((1, "docker: unknown command: docker buildx"), 1, BUSY),
        ((1, "permission denied while trying to connect to the docker API"), 1, BUSY),
        ((1, ""), 1, BUSY),
        ((1, f"{IMAGE}: not found"), 0, ""),
        ((1, "the repository does not exist"), 0, ""),
        ((1, "MANIFEST_UNKNOWN"), 0, ""),
        ((1, "HEAD request to\nghcr.io: 403 Forbidden"), 0, "It said: HEAD request to ghcr.io: 403 Forbidden"),
        ((1, "failed to fetch oauth token: denied"), 0, "It said: failed to fetch oauth token: denied"),
        ((1, "denied: requested access to the resource is denied"), 0, "is new or not ours"),
    ],
)
def test_a_tag_is_pushed_when_the_registry_does_not_have_it_or_leaves_it_to_the_push(
    tmp_path: Path, answer: tuple[int, str], code: int, log: str
) -> None:
    inspect = {f"docker buildx imagetools inspect {IMAGE}": [answer]}
    ran = run("_build/build/Refuse a tag that exists", tmp_path, BUILDING | {"TAGGED": IMAGE}, inspect)
    assert (ran.code, bool(ran.log), log in ran.log) == (code, bool(log), True)


@pytest.mark.parametrize("answer", [(0, DIGEST), (1, DIGEST), (0, ""), (0, DIGEST[1:]), (0, f"{DIGEST}\n1")])
def test_what_is_deployed_is_the_image_that_the_tag_names_now(tmp_path: Path, answer: tuple[int, str]) -> None:
    inspect = {f"docker buildx imagetools inspect {IMAGE} --format {{{{.Manifest.Digest}}}}": [answer]}
    ran = run("_deploy/deploy/Resolve the tag to a digest", tmp_path, DEPLOYING | {"IMAGE": IMAGE}, inspect)
    assert ran.outputs == ({"image": f"{IMAGE}@{DIGEST}"} if answer == (0, DIGEST) else {})
    assert (ran.code, "Nothing was changed" in ran.log) == ((0, False) if ran.outputs else (1, True))
