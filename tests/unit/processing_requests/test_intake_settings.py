"""Settings of the intake that hang together."""

from __future__ import annotations

import pytest

from checkpoint.settings import SettingsError, load
from processing_requests.settings import IntakeSettings


async def loaded(**environ: str) -> IntakeSettings:
    async def fetch(names: object) -> dict[str, str]:
        pytest.fail(f"{names} was asked for")

    return await load(IntakeSettings, environ, fetch)


async def test_with_nothing_set_it_is_the_assignments_service_on_this_machine_alone() -> None:
    settings = await loaded()
    assert (settings.host, settings.port, settings.tokens) == ("127.0.0.1", 5001, "foobar")
    assert settings.queue_url.startswith("sqlite:")
    assert settings.clock_skew_seconds == 300


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
async def test_the_default_token_holds_on_a_loopback_address(host: str) -> None:
    assert (await loaded(HOST=host)).tokens == "foobar"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org"])
async def test_any_other_address_needs_a_token_of_its_own(host: str) -> None:
    with pytest.raises(SettingsError, match=r"TOKEN: is not set") as refused:
        await loaded(HOST=host)
    assert host in str(refused.value)
    assert (await loaded(HOST=host, TOKEN="mine")).tokens == "mine"


@pytest.mark.parametrize(
    "name",
    ["HEADER_TIMEOUT_SECONDS", "BODY_TIMEOUT_SECONDS", "QUEUE_TIMEOUT_SECONDS", "MAX_WAITING", "MAX_REQUEST_BYTES"],
)
async def test_a_bound_of_0_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        await loaded(**{name: "0"})
