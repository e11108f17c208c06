"""Checks of the Dockerfiles and compose.yaml that need no container engine."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from architecture.sources import REPOSITORY, SERVICES
from message_broker.settings import BrokerSettings
from processing_requests.settings import IntakeSettings

COMPOSE: Final[dict[str, Any]] = YAML(typ="safe").load(REPOSITORY / "compose.yaml")
OURS: Final = [name for name, service in COMPOSE["services"].items() if service["image"].startswith("checkpoint-")]
OBSERVING: Final = [name for name, service in COMPOSE["services"].items() if service.get("profiles") == ["observe"]]


def dockerfile(app: str) -> Path:
    return REPOSITORY / "apps" / app / "Dockerfile"


def run(program: str, *arguments: str | Path) -> tuple[int, str]:
    """The exit code and the output of a program of the virtual environment."""
    command = [Path(sys.executable).parent / program, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize("app", SERVICES)
def test_hadolint_finds_nothing_in_a_dockerfile(app: str) -> None:
    assert run("hadolint", "--no-color", dockerfile(app)) == (0, "")


def test_every_rule_that_hadolint_ignores_has_a_reason_above_it() -> None:
    for app in SERVICES:
        lines = dockerfile(app).read_text().splitlines()
        ignoring = [number for number, line in enumerate(lines) if line.startswith("# hadolint ignore")]
        assert [lines[number] for number in ignoring if not lines[number - 1].startswith("# ")] == []


def test_the_dockerfiles_differ_only_in_what_their_services_differ_in() -> None:
    """A fix in one is a fix in both."""
    own = r"^( *HOST=| *PORT=|EXPOSE |LABEL |#)|description="
    intake, broker = (
        [line for line in dockerfile(app).read_text().replace(app, "APP").splitlines() if not re.search(own, line)]
        for app in SERVICES
    )
    assert [line.replace("9001", "PORT") for line in intake] == [line.replace("9002", "PORT") for line in broker]


def test_compose_yaml_keeps_to_the_specifications_schema() -> None:
    code, said = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", REPOSITORY / "compose.yaml")
    assert code == 0, said


@pytest.mark.parametrize("name", [*OURS, *OBSERVING])
def test_a_composed_service_runs_hardened(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_compose_publishes_ports_on_the_loopback_address_only() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert len(published) == 5
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_what_observes_the_services_is_pinned_by_digest_and_mounts_what_is_there() -> None:
    assert len(OBSERVING) == 2
    for name in OBSERVING:
        service = COMPOSE["services"][name]
        assert re.fullmatch(r"docker\.io/[a-z/]+:v?\d+\.\d+\.\d+@sha256:[0-9a-f]{64}", service["image"])
        mounted = [volume.split(":") for volume in service["volumes"]]
        ours = [path for path in mounted if path[0].startswith("./")]
        assert ours
        assert [path for path in ours if not ((REPOSITORY / path[0]).is_dir() and path[2] == "ro")] == []
        assert {path[0] for path in mounted if path not in ours} <= COMPOSE["volumes"].keys()


def test_the_composed_prometheus_scrapes_the_private_ports_of_both_services() -> None:
    configuration = YAML(typ="safe").load(REPOSITORY / "deploy/prometheus/prometheus.yml")
    targets = {job["job_name"]: job["static_configs"] for job in configuration["scrape_configs"]}
    assert targets == {
        "processing_requests": [{"targets": [f"processing_requests:{IntakeSettings().private_port}"]}],
        "message_broker": [{"targets": [f"message_broker:{BrokerSettings().private_port}"]}],
    }
    assert targets.keys() <= COMPOSE["services"].keys()


def test_the_composed_grafana_finds_the_composed_prometheus_and_the_dashboard() -> None:
    grafana = COMPOSE["services"]["grafana"]
    provisioning = REPOSITORY / "deploy/grafana/provisioning"
    [source] = YAML(typ="safe").load(provisioning / "datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    [provider] = YAML(typ="safe").load(provisioning / "dashboards/checkpoint.yml")["providers"]
    folder = provider["options"]["path"]
    assert f"./deploy/grafana/dashboards:{folder}:ro" in grafana["volumes"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (REPOSITORY / "deploy/grafana/dashboards" / home.removeprefix(f"{folder}/")).is_file()


@pytest.mark.parametrize("name", OURS)
def test_compose_waits_as_long_as_a_service_takes_to_stop(name: str) -> None:
    takes = max(IntakeSettings().drain_seconds, BrokerSettings().grace_seconds) + 5
    assert float(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s")) > takes


def test_the_composed_emulator_is_the_one_of_the_tests() -> None:
    groups = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["dependency-groups"]
    [version] = [each.partition("==")[2] for each in groups["dev"] if str(each).startswith("ministack==")]
    assert COMPOSE["services"]["emulator"]["image"].endswith(f"/ministack:{version}")


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_compose_waits_for_a_start_on_a_busy_machine(name: str) -> None:
    check = COMPOSE["services"][name]["healthcheck"]
    assert float(check["start_period"].removesuffix("s")) >= 60  # 45 s were needed once
