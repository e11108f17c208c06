"""The page at / of a private port: what somebody looks at first who wants to know whether a service is well."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from checkpoint.operations.status_page import units
from checkpoint.operations.status_page.layout import PLOTS
from checkpoint.operations.status_page.plot import card
from checkpoint.operations.status_page.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checkpoint.operations.status_page.history import LastHour
    from checkpoint.operations.status_page.measures import Values

_REFRESH_SECONDS: Final = 30
# Nothing but its own style: no script, no picture, no request to anywhere.
HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def render(
    hour: LastHour, *, alive: bool, faults: Mapping[str, str], warnings: Mapping[str, str], now: float, query: str
) -> str:
    """The page as HTML.

    alive, faults, warnings: as the private port's `Readings` have them. now: in seconds since 1970.
    query: the request's; with `refresh` the page is asked for again every 30 seconds, which not every reader wants
        (https://www.w3.org/WAI/WCAG22/Techniques/failures/F41).
    """
    refreshes = "refresh" in parse_qs(query, keep_blank_values=True)
    about: Mapping[str, str] = next(iter(hour.values.all("checkpoint_build_info")), ({}, 0.0))[0]
    name = about.get("service", "Checkpoint")
    word, tone = _state(alive=alive, faults=faults, warnings=warnings)
    facts = "".join(
        f"<div><dt>{escape(title)}</dt><dd>{_text(value)}</dd></div>"
        for title, value in _facts(hour.values, about, now)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(word)} · {_text(name)}</title>"
        f"{f'<meta http-equiv=refresh content={_REFRESH_SECONDS}>' if refreshes else ''}"
        f'<link rel="icon" href="data:,"><style>{STYLE}</style></head><body>'
        f'<header><h1>{_text(name)}</h1><p class="state {tone}">{word}</p></header><main>'
        f"{_reasons('What is wrong', 'badly', faults)}{_reasons('Warnings', 'warned', warnings)}"
        f'<dl class="facts">{facts}</dl>'
        f'<div class="plots">{"".join(card(plot, hour) for plot in PLOTS)}</div></main>'
        f"<footer><span>{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S} UTC</span>"
        f"{_refreshing(refreshes=refreshes)}<span>A sample every 30 s since the start, for an hour</span>"
        '<span><a href="livez">livez</a> · <a href="readyz">readyz</a> · <a href="metrics">metrics</a></span></footer>'
        "</body></html>"
    )


def _state(*, alive: bool, faults: Mapping[str, str], warnings: Mapping[str, str]) -> tuple[str, str]:
    if not alive:
        return "Does not answer", "badly"
    if faults:
        return "Not ready", "badly"
    return ("Ready, with warnings", "warned") if warnings else ("Ready", "well")


def _reasons(title: str, tone: str, reasons: Mapping[str, str]) -> str:
    if not reasons:
        return ""
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(reason)}</dd>" for name, reason in reasons.items())
    return f'<section class="reasons {tone}"><h2>{title}</h2><dl>{rows}</dl></section>'


def _facts(values: Values, about: Mapping[str, str], now: float) -> Iterator[tuple[str, str]]:
    """Of the service, those that it has."""
    if started := values.total("process_start_time_seconds"):
        yield "Up for", units.duration(max(1, int(now - started)))
    for title, name in (
        ("Last e-mail posted", "checkpoint_last_posted_timestamp_seconds"),
        ("Last e-mail archived", "checkpoint_last_stored_timestamp_seconds"),
    ):
        if last := values.total(name):
            yield title, f"{units.duration(max(1, int(now - last)))} ago"
    for labels, value in values.all("checkpoint_circuit_breaker_state"):
        if value:
            yield "Circuit breaker", labels.get("state", "").replace("_", "-")
    serving = values.total("checkpoint_workers_serving")
    if serving is not None:
        yield "Workers serving", units.count(serving)
    for labels, value in values.all("checkpoint_volume_free_bytes"):
        yield f"Free for the {labels.get('volume', '')}", units.size(value)
    if about:
        yield "Version", f"{about.get('version')} on Python {about.get('python_version')}"


def _refreshing(*, refreshes: bool) -> str:
    if refreshes:
        return '<a href="./">Refresh no more</a>'
    return f'<a href="./?refresh">Refresh every {_REFRESH_SECONDS} s</a>'


def _text(text: str) -> str:
    """In a reason there may be anything; what cannot be printed is no character of HTML."""
    return escape("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text))
