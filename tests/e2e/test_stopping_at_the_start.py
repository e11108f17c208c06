"""SIGTERM before a service has begun, while AWS keeps it waiting for its settings."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from e2e.ports import free_port
from e2e.services import Service

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("program", ["processing_requests", "message_broker"])
def test_a_service_stopped_while_it_waits_for_its_settings_ends_with_exit_code_0(program: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        environment = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_REGION": "us-east-1",
            "AWS_SECRET_ACCESS_KEY": "test",
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "PRIVATE_PORT": str(free_port()),
            "QUEUE_URL": "ssm:/checkpoint/sqs_queue_url",
        }
        service = Service(program, environment, tmp_path, tmp_path / "log")
        try:
            asking, _ = silent.accept()
            with asking:
                assert service.terminate() == 0
            assert service.log == ""
        finally:
            service.kill()
