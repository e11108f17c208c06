"""When there are traces, and which traceparents are valid."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import message_broker.self_check
import processing_requests.self_check
from checkpoint.operations import tracing
from checkpoint.operations.messaging_spans import Destination
from checkpoint.operations.tracing import Remote, is_on, open_tracing, read_traceparent
from checkpoint.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("text", "is_sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what the future will be like", True),
    ],
)
def test_a_valid_traceparent_names_a_span_and_whether_it_is_sampled(text: str, is_sampled: bool) -> None:  # noqa: FBT001
    assert read_traceparent(text) == Remote(int(TRACE, 16), int(SPAN, 16), is_sampled)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-",
        f"00-{TRACE}-{SPAN}-01-more",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"ff-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN.upper()}-01",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        f"00-{TRACE[:-1]}\u0663-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0x",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
        f"00_{TRACE}_{SPAN}_01",
    ],
    ids=repr,
)
def test_what_is_not_quite_a_traceparent_is_none(text: str) -> None:
    assert read_traceparent(text) is None


@pytest.mark.parametrize(
    "environ",
    [
        ENDPOINT,
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://collector/v1/traces"},
        ENDPOINT | {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
        ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
        ENDPOINT | {"OTEL_SDK_DISABLED": "false", "OTEL_TRACES_EXPORTER": ""},
    ],
    ids=repr,
)
def test_an_endpoint_turns_traces_on(environ: dict[str, str]) -> None:
    assert is_on(environ)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        {"OTEL_TRACES_EXPORTER": "otlp"},
        ENDPOINT | {"OTEL_SDK_DISABLED": "True"},
        ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"},
    ],
    ids=repr,
)
def test_without_an_endpoint_or_switched_off_there_are_none(environ: dict[str, str]) -> None:
    assert not is_on(environ)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin", "must be otlp or none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "must be http/protobuf"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "must be http:// or https:// and a host"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "must be http:// or https:// and a host"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1", "must be http:// or https:// and a host"),
    ],
)
def test_what_checkpoint_cannot_do_is_refused_by_the_variables_name(variable: str, value: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        is_on(ENDPOINT | {variable: value})
    assert variable in str(caught.value)


@pytest.mark.parametrize("service", [message_broker.self_check, processing_requests.self_check])
async def test_the_check_of_a_service_says_it_too(service: ModuleType) -> None:
    async def fetch(_: Sequence[str]) -> dict[str, str]:
        return {}

    [finding] = await service.findings(ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, fetch)

    assert (finding.name, finding.is_good) == ("settings", False)
    assert "http/protobuf" in finding.text


async def test_without_the_extra_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_PACKAGES", ("opentelemetry", "opentelemetry_that_is_not_there.sdk"))

    with pytest.raises(SettingsError, match=r"pip install 'checkpoint-emails\[traces\]'"):
        async with open_tracing("a service", ENDPOINT):
            pass


def test_off_nothing_of_opentelemetry_is_imported() -> None:
    program = """
import asyncio, sys
import message_broker.service, processing_requests.service
from checkpoint.operations.tracing import open_tracing

async def main():
    async with open_tracing("a service", {}) as tracing:
        assert tracing is None
    print(*sys.modules)

asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"opentelemetry", "google", "requests"} & {name.partition(".")[0] for name in ended.stdout.split()}


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("sqlite:///data/queue.db?max_receives=3", ("sqlite", "queue.db")),
        ("https://sqs.eu-west-3.amazonaws.com/766537570218/my_sqs", ("aws_sqs", "my_sqs")),
        ("onefile://user:s3cret@host/a/b/", ("onefile", "b")),
        ("memory:", ("memory", "")),
    ],
)
def test_a_queue_is_named_by_the_end_of_its_url(url: str, destination: tuple[str, str]) -> None:
    assert Destination.of(url) == destination
    assert Destination.of(url).span_name("send") == f"send {destination[1]}".rstrip()
