"""Settings from the environment: every fault at once and by name, no value ever repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import pytest

from checkpoint.settings import (
    Check,
    Count,
    Port,
    Settings,
    SettingsError,
    convert_to_settings_error,
    load,
    references,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def is_known(url: str) -> None:
    if not url.startswith("known:"):
        raise ValueError("the scheme must be known.")


class Sample(Settings, frozen=True, kw_only=True):
    token: str
    port: Port = 1
    size: Count = 2
    ratio: float = 0.5
    mode: Literal["slow", "quick"] = "slow"
    url: Annotated[str, Check(is_known)] = "known:default"

    def __post_init__(self) -> None:
        if self.size == 13:
            raise ValueError("SIZE: is 13.")


async def nothing(names: Sequence[str]) -> Mapping[str, str]:
    raise AssertionError(names)


async def test_values_are_read_by_upper_case_name_and_the_rest_are_defaults() -> None:
    settings = await load(Sample, {"TOKEN": "t", "PORT": "80", "RATIO": "1", "OTHER": "x"}, nothing)
    assert settings == Sample(token="t", port=80, size=2, ratio=1.0)


async def test_all_faults_are_reported_together_by_name_without_their_values() -> None:
    with pytest.raises(SettingsError) as caught:
        await load(Sample, {"PORT": "s3cret", "SIZE": "0", "RATIO": " "}, nothing)
    faults = str(caught.value).splitlines()
    assert [fault.partition(":")[0] for fault in faults] == ["TOKEN", "PORT", "SIZE", "RATIO"]
    assert "s3cret" not in str(caught.value)


async def test_what_must_hold_between_settings_is_a_fault_by_name_too() -> None:
    with pytest.raises(SettingsError, match=r"^SIZE: "):
        await load(Sample, {"TOKEN": "t", "SIZE": "13"}, nothing)


async def test_a_fault_between_settings_is_reported_with_those_of_single_ones() -> None:
    with pytest.raises(SettingsError) as caught:
        await load(Sample, {"TOKEN": "t", "SIZE": "13", "PORT": "-1"}, nothing)
    assert [fault.partition(":")[0] for fault in str(caught.value).splitlines()] == ["PORT", "SIZE"]


async def test_a_fault_of_a_choice_names_the_choices_and_not_the_value() -> None:
    with pytest.raises(SettingsError) as caught:
        await load(Sample, {"TOKEN": "t", "MODE": "s3cret"}, nothing)
    assert all(word in str(caught.value) for word in ("MODE", "slow", "quick"))
    assert "s3cret" not in str(caught.value)


async def test_what_a_check_refuses_is_a_fault_by_name_among_the_others() -> None:
    with pytest.raises(SettingsError) as caught:
        await load(Sample, {"TOKEN": "t", "PORT": "-1", "URL": "s3cret:"}, nothing)
    assert [fault.partition(":")[0] for fault in str(caught.value).splitlines()] == ["PORT", "URL"]
    assert str(caught.value).endswith("\nURL: the scheme must be known.")


async def test_a_value_that_a_check_lets_through_is_read() -> None:
    settings = await load(Sample, {"TOKEN": "t", "URL": "known:place"}, nothing)
    assert settings.url == "known:place"


async def test_what_a_parameter_holds_is_checked_too() -> None:
    async def fetch(_: Sequence[str]) -> Mapping[str, str]:
        return {"/a/url": "s3cret:"}

    with pytest.raises(SettingsError, match=r"^URL: the scheme must be known\.$"):
        await load(Sample, {"TOKEN": "t", "URL": "ssm:/a/url"}, fetch)


async def test_a_value_may_be_a_reference_to_a_parameter() -> None:
    async def fetch(names: Sequence[str]) -> Mapping[str, str]:
        assert names == ["/a/port", "/a/token"]
        return {"/a/port": "81", "/a/token": "t"}

    environ = {"TOKEN": "ssm:/a/token", "PORT": "ssm:/a/port", "OTHER": "ssm:/a/other"}
    assert await load(Sample, environ, fetch) == Sample(token="t", port=81)


async def test_a_parameter_that_does_not_exist_is_a_fault_that_names_both() -> None:
    async def fetch(_: Sequence[str]) -> Mapping[str, str]:
        return {}

    with pytest.raises(SettingsError, match=r"^TOKEN: .* /a/token"):
        await load(Sample, {"TOKEN": "ssm:/a/token"}, fetch)


def test_references_are_found_among_the_environment() -> None:
    assert references({"A": "ssm:/x", "B": "y", "C": ""}) == {"A": "/x"}


async def test_settings_do_not_show_their_values() -> None:
    assert "hidden" not in repr(Sample(token="hidden"))
    assert "hidden" not in str(Sample(token="hidden"))


@pytest.mark.parametrize("error", [ValueError("PORT: is odd."), OSError("PORT: is taken.")])
def test_what_cannot_be_opened_is_a_fault_of_the_settings(error: Exception) -> None:
    with pytest.raises(SettingsError, match=f"^{error}$"), convert_to_settings_error():
        raise error


def test_what_cannot_be_opened_is_a_fault_of_the_setting_that_names_it() -> None:
    with pytest.raises(SettingsError, match=r"^URL: has no path\.$"), convert_to_settings_error("URL"):
        raise ValueError("has no path.")


def test_another_error_while_opening_comes_through_as_itself() -> None:
    with pytest.raises(ZeroDivisionError), convert_to_settings_error():
        raise ZeroDivisionError
