"""The ports that tests listen on."""

from __future__ import annotations

from e2e.ports import free_port


def test_no_port_is_given_twice_though_nobody_listens_on_it_yet() -> None:
    ports = [free_port() for _ in range(500)]

    assert len(set(ports)) == len(ports)
