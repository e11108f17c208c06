"""The deploy job, in settings in which it goes well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.workflows import JOBS

if TYPE_CHECKING:
    from pipelines.fakes import Rules
    from pipelines.intake import Intake
    from pipelines.runner import Run

JOB: Final = JOBS["_deploy/deploy"]
IMAGE: Final = "somebody/checkpoint-messages_broker:1.0.42"
REVISION: Final = "get deployment messagesbroker --output jsonpath={.metadata"
READY: Final = "get deployment messagesbroker --output jsonpath={.status"
WELL: Final[Rules] = {REVISION: [(0, "7")], READY: [(0, "1/1")]}
UNDO: Final = "kubectl rollout undo deployment/messagesbroker --to-revision 7"
STATUS: Final = "kubectl rollout status deployment/messagesbroker --timeout=10m"


def context(intake: Intake, **changed: str) -> dict[str, object]:
    return {
        "inputs.image": "checkpoint-messages_broker",
        "inputs.deployment": "messagesbroker",
        "inputs.tag": "1.0.42",
        "inputs.environment": "production",
        "vars.IMAGE_NAMESPACE": "somebody",
        "vars.SERVICE_URL": f"http://{intake.address}/process_request",
        "secrets.AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "secrets.AWS_SECRET_ACCESS_KEY": "key",
        "secrets.AWS_REGION": "eu-west-1",
        "secrets.SMOKE_TOKEN": 'to"ken\\',
        **{name.replace("__", "."): value for name, value in changed.items()},
    }


def changes(run: Run) -> list[str]:
    """What kubectl was told to change."""
    return [call for call in run.of("kubectl") if " set image " in call or " undo " in call]
