"""The page: what it shows, and that nothing in it can be more than text."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge

from checkpoint.operations.metrics import new_registry
from checkpoint.operations.status_page.page import HEADERS, render
from message_broker import metrics as of_broker
from processing_requests import metrics as of_intake
from unit.checkpoint.operations.status_page.hours import Hour

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_800_000_000.0


def page(registry: CollectorRegistry | None = None, hour: Hour | None = None, **others: Any) -> str:
    hour = hour or Hour(registry or CollectorRegistry())
    told: dict[str, Any] = {"alive": True, "faults": {}, "warnings": {}, "now": NOW, "query": ""}
    return render(hour.look(), **(told | others))


def state(html: str) -> str:
    found = re.search(r'class="state \w+">([^<]+)<', html)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({}, "Ready"),
        ({"warnings": {"object.json": "InvalidObjectState"}}, "Ready, with warnings"),
        ({"faults": {"queue": "not tried yet"}, "warnings": {"a": "b"}}, "Not ready"),
        ({"alive": False}, "Does not answer"),
    ],
)
def test_it_says_how_the_service_is_and_why(told: Mapping[str, Any], shown: str) -> None:
    html = page(**told)
    assert state(html) == shown
    assert html.index(f"<title>{shown}") > 0
    for name, reason in {**told.get("faults", {}), **told.get("warnings", {})}.items():
        assert f"<dt>{name}</dt><dd>{reason}</dd>" in html


def test_what_stands_in_a_reason_is_text_whatever_it_is() -> None:
    html = page(faults={"<b>queue": "<script>alert(1)</script>\x1b[31m\x00 & 'x' \"y\""})
    assert "&lt;b&gt;queue" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script" not in html
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", html)


def test_of_a_new_service_it_shows_what_its_metrics_have_and_nothing_else() -> None:
    intake, broker = page(of_intake.Metrics().registry), page(of_broker.Metrics().registry)
    assert "<h1>processing_requests</h1>" in intake
    assert "<h2>Answers per second</h2>" in intake
    assert "Messages per second" not in intake
    assert "<h1>message_broker</h1>" in broker
    assert "<h2>Messages per second</h2>" in broker
    assert "Answers per second" not in broker


def test_rates_levels_and_facts_are_shown_with_what_a_reader_hears_of_a_plot() -> None:
    registry = new_registry("message_broker")
    messages = Counter("checkpoint_messages", "-", ["outcome"], registry=registry)
    for outcome in ("created", "already_there", "dead_lettered", "released", "failed"):
        messages.labels(outcome)
    Gauge("checkpoint_dead_letters", "-", registry=registry).set(3)
    Gauge("checkpoint_last_stored_timestamp_seconds", "-", registry=registry).set(NOW - 200)
    breaker = Gauge("checkpoint_circuit_breaker_state", "-", ["state"], registry=registry)
    breaker.labels("closed").set(0)
    breaker.labels("half_open").set(1)
    Gauge("checkpoint_volume_free_bytes", "-", ["volume"], registry=registry).labels("archive").set(2**40)
    hour = Hour(registry)
    hour.pass_(4, lambda: messages.labels("created").inc(300))
    html = page(hour=hour)
    assert "<b>10.0</b> archived" in html
    assert (
        "<title>Messages per second in the last 5 minutes: archived now 10.0, at most 10.0; dead-lettered now 0" in html
    )
    assert "<title>Dead letters in the last 5 minutes: now 3, at most 3</title>" in html
    for title, value in (
        ("Last e-mail archived", "3 min 20 s ago"),
        ("Circuit breaker", "half-open"),
        ("Free for the archive", "1.0 TiB"),
    ):
        assert f"<dt>{title}</dt><dd>{value}</dd>" in html


def test_a_plot_has_a_gap_where_nothing_was_measured_and_a_place_for_each_sample() -> None:
    registry = CollectorRegistry()
    connections = Gauge("checkpoint_connections", "-", registry=registry)
    hour = Hour(registry)
    hour.pass_(3, lambda: connections.inc(5))
    registry.unregister(connections)
    hour.pass_(2)
    registry.register(connections)
    hour.pass_(1)
    lines = re.findall(r'<path class="line1" d="M([^"]+)"', page(hour=hour))
    assert [len(line.split()) for line in lines] == [2, 2]
    assert lines[0] == "180.0,54.0 216.0,36.0"  # 150 and 120 of 300 s ago, 5 and 10 of a scale that ends at 20


@pytest.mark.parametrize(
    ("samples", "since", "heard"),
    [
        (2, "5 minutes ago", "in the last 5 minutes: "),
        (11, "15 minutes ago", "in the last 15 minutes: "),
        (60, "30 minutes ago", "in the last 30 minutes: "),
        (61, "1 hour ago", "in the last hour: "),
        (500, "1 hour ago", "in the last hour: "),
    ],
)
def test_a_plot_begins_when_the_service_did_but_at_most_an_hour_ago(samples: int, since: str, heard: str) -> None:
    registry = CollectorRegistry()
    Gauge("checkpoint_connections", "-", registry=registry)
    hour = Hour(registry)
    hour.pass_(samples)
    html = page(hour=hour)
    assert f"<span>{since}</span><span>now</span>" in html
    assert heard in html


def test_it_runs_nothing_and_fetches_nothing() -> None:
    html = page(of_intake.Metrics().registry)
    assert "<script" not in html
    assert not re.search(r"(?:https?:)?//", html)
    assert re.findall(r'(?:href|src)="([^"]*)"', html) == ["data:,", "./?refresh", "livez", "readyz", "metrics"]
    assert "style=" not in html


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    [style] = re.findall(r"<style>(.*?)</style>", page(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = HEADERS["Content-Security-Policy"].split("; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy)


def test_it_is_asked_for_again_by_itself_only_where_somebody_wants_that() -> None:
    assert "http-equiv" not in page()
    assert "<meta http-equiv=refresh content=30>" in page(query="refresh")
    assert '<a href="./">' in page(query="refresh=")


def test_every_element_that_is_opened_is_closed() -> None:
    opened: list[str] = []

    class Elements(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  as above
            if tag not in ("meta", "link", "path"):
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if tag != "path":
                assert opened.pop() == tag

    Elements().feed(page(of_broker.Metrics().registry, faults={"queue": "gone"}))
    assert opened == []
