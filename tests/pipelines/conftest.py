from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from pipelines.intake import Intake, running_intake

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def intake() -> Iterator[Intake]:
    if shutil.which("curl") is None:
        pytest.skip("There is no curl to post an e-mail with.")
    with running_intake() as intake:
        yield intake
