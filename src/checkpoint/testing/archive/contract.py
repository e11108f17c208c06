"""What every archive must do, whatever object store is below it, as tests of pytest.

from checkpoint.testing.archive.contract import ArchiveContract

class TestMyArchive(ArchiveContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> ArchiveUnderTest: ...

A store that can be listed, for the command line, passes ListedStoreContract as well.
"""

from __future__ import annotations

import pytest

# So that an assert that fails shows what it compared. It must come before the import of what it names.
pytest.register_assert_rewrite("checkpoint.testing.archive.listings", "checkpoint.testing.archive.puts")

from checkpoint.testing.archive.listings import Listings
from checkpoint.testing.archive.puts import Puts


@pytest.mark.asyncio(loop_scope="function")
class ArchiveContract(Puts):
    """Every test of the contract. A subclass, or its conftest.py, gives the fixture `place`: an ArchiveUnderTest."""


@pytest.mark.asyncio(loop_scope="function")
class ListedStoreContract(Listings):
    """The same for the operator's part. The fixture `place` gives a ListedUnderTest."""
