"""Every defect can be planted in the sources as they are now."""

from __future__ import annotations

import compileall
from typing import TYPE_CHECKING

import pytest

from planted_defects.defects import DEFECTS, Edit
from planted_defects.planting import plant

if TYPE_CHECKING:
    from pathlib import Path

    from planted_defects.defects import Defect


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_fits_the_sources_and_leaves_them_python(defect: Defect, tmp_path: Path) -> None:
    plant(defect.edits, tmp_path)

    for edit in defect.edits:
        assert compileall.compile_file(tmp_path / edit.file, quiet=1)


def test_a_defect_whose_place_has_changed_is_refused_and_names_its_file(tmp_path: Path) -> None:
    stale = Edit("apps/message_broker/message_broker.py", "what does not stand there", "")

    with pytest.raises(ValueError, match=r"message_broker\.py does not hold exactly once"):
        plant((stale,), tmp_path)
