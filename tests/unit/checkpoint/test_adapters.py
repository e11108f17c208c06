"""A registry finds adapters by scheme: the built-in ones, and those of packages that are installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from checkpoint.adapters import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., None]

GROUP = "checkpoint.tests"
REGISTRY: Registry[Any] = Registry(GROUP, {"built-in": "json", "lost": "no.such.module"}, functions=("loads", "dumps"))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts packages where an installer would put them: a module, and the metadata with its entry points."""
    monkeypatch.syspath_prepend(tmp_path)
    modules = set(sys.modules)

    def install(package: str, *schemes: str, source: str = "loads = dumps = print", attribute: str = "") -> None:
        module = package.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source)
        metadata = tmp_path / f"{module}-1.2.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        offers = "".join(f"{scheme} = {module}{attribute}\n" for scheme in schemes)
        (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{offers}")

    yield install
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def refusal(url: str) -> str:
    """What `find` says about a URL that it refuses; never the URL itself."""
    with pytest.raises(ValueError, match=r"\S") as caught:
        REGISTRY.find(url)
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


def test_a_built_in_scheme_is_found() -> None:
    adapter, url = REGISTRY.find("built-in:///place")
    assert adapter.__name__ == "json"
    assert url == "built-in:///place"


def test_the_scheme_of_an_installed_package_is_found(install: Install) -> None:
    install("their-package", "theirs")
    REGISTRY.check("theirs://place")
    adapter, _ = REGISTRY.find("theirs://place")
    assert adapter.__name__ == "their_package"


def test_an_adapter_may_be_an_object_of_a_module(install: Install) -> None:
    install("their-package", "theirs", source="import json\nadapter = json", attribute=":adapter")
    adapter, _ = REGISTRY.find("theirs://place")
    assert adapter.__name__ == "json"


@pytest.mark.parametrize("url", ["BUILT-IN:///Place", "Theirs:///Place"])
def test_a_scheme_is_the_same_in_capitals_and_the_adapter_sees_none(install: Install, url: str) -> None:
    install("their-package", "theirs")
    REGISTRY.check(url)
    assert REGISTRY.find(url)[1] == f"{url.partition(':')[0].lower()}:///Place"


def test_an_unknown_scheme_is_refused_by_naming_the_known_ones(install: Install) -> None:
    assert refusal("s3cret://place") == "the scheme must be one of built-in, lost."
    install("their-package", "theirs", "also-theirs")
    assert refusal("s3cret://place") == "the scheme must be one of built-in, lost, also-theirs, theirs."


@pytest.mark.parametrize(
    "url",
    [
        "",
        "built-in",
        "//user:s3cret@host/",
        "//[s3cret",
        "built-in://[s3cret",
        "built-in://user:s3cret\u2100@host/",
    ],
)
def test_what_is_no_url_of_an_adapter_is_refused_without_repeating_it(url: str) -> None:
    refusal(url)
    with pytest.raises(ValueError, match=r"scheme|URL"):
        REGISTRY.check(url)


def test_a_built_in_scheme_is_not_replaced(install: Install) -> None:
    install("their-package", "built-in")
    assert REGISTRY.find("built-in:///place")[0].__name__ == "json"
    assert refusal("s3cret://place").count("built-in") == 1


def test_a_scheme_of_two_packages_is_refused_by_naming_both(install: Install) -> None:
    install("their-package", "theirs")
    install("other-package", "Theirs")
    assert "other-package 1.2 and their-package 1.2" in refusal("theirs://s3cret")
    with pytest.raises(ValueError, match="more than one package"):
        REGISTRY.check("theirs://place")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import missing_sdk", "ModuleNotFoundError: No module named 'missing_sdk'"),
        ("raise RuntimeError('s3cret')", "RuntimeError"),
        ("loads = print", "has no dumps"),
        ("loads = dumps = 1", "has no loads and no dumps"),
    ],
)
def test_an_adapter_that_cannot_be_used_is_refused_by_scheme_and_package(
    install: Install, source: str, reason: str
) -> None:
    install("their-package", "theirs", source=source)
    REGISTRY.check("theirs://place")  # which imports nothing
    said = refusal("theirs://s3cret")
    assert said.startswith("the adapter for theirs:, their_package of the package their-package 1.2, ")
    assert reason in said


def test_a_built_in_adapter_whose_libraries_are_not_installed_is_refused_with_the_cause() -> None:
    assert refusal("lost://s3cret") == (
        "the adapter for lost:, no.such.module, cannot be imported: ModuleNotFoundError: No module named 'no'"
    )
