"""Tokens in Parameter Store: changed there, changed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from e2e.marked import MARK, marked
from e2e.posting import TOKEN, post_email
from e2e.waiting import until

if TYPE_CHECKING:
    from e2e.on_aws import OnAWS
    from e2e.services import Services

pytestmark = pytest.mark.parametrize("world", ["on_aws"], indirect=True)

NEW: Final = f"{MARK}-new-token"


def test_a_token_is_rotated_without_a_restart(on_aws: OnAWS, services: Services) -> None:
    intake = services.intake(TOKEN_REFRESH_SECONDS="0.2")

    def status(token: str) -> int:
        return post_email(intake.port, marked(0), token=token).status

    assert (status(TOKEN), status(NEW)) == (200, 401)
    on_aws.set_token(f"{NEW},{TOKEN}")
    until(lambda: status(NEW) == 200, "the new token is taken")
    assert status(TOKEN) == 200
    on_aws.set_token(NEW)
    until(lambda: status(TOKEN) == 401, "the old token is refused")
    assert status(NEW) == 200


def test_tokens_that_cannot_be_read_again_stay_valid(on_aws: OnAWS, services: Services) -> None:
    intake = services.intake(TOKEN_REFRESH_SECONDS="0.2", **on_aws.cuttable)

    with on_aws.queue_away():
        until(lambda: "tokens_refresh_failed" in intake.log, "the failed read is logged")
    until(intake.is_ready, "the queue is back")

    assert post_email(intake.port, marked(0)).status == 200
