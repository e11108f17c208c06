"""The results of the intake's bench as bar charts, in SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from rows import CLIENTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from results import Measured, Results

_WIDTH, _LABEL, _VALUE = 860, 400, 80
_BAR, _STEP, _TOP = 16, 24, 44
_COLOURS: Final = ("#2a6f97", "#e09f3e")
_STYLE: Final = "font: 13px sans-serif; fill: #333; background: #fff"


def write_plots(found: Results, directory: Path) -> None:
    """Write `rate.svg`, `cpu.svg`, `half_load.svg` and `crowds.svg`, each where there is something to show."""
    crowds = [row.key for row in found.rows if row.clients > CLIENTS and row.key.startswith("sqlite")]
    servers = [row.key for row in found.rows if row.clients == CLIENTS and row.key != "wrong_token"]
    ours = [key for key in servers if key.startswith(("ceiling", "sqlite", "sqs"))]
    for name, title, keys, figures in (
        ("rate", "E-mails kept per second, 64 clients", servers, {"kept_per_second": ""}),
        ("cpu", "CPU µs per request, 64 clients", ours, {"cpu_us": ""}),
        ("half_load", "Milliseconds until the answer, half load", ours, {"half_p50_ms": "p50", "half_p99_ms": "p99"}),
        ("crowds", "E-mails kept per second on sqlite:", ["sqlite", *crowds], {"kept_per_second": ""}),
    ):
        rows = [row for row in found.rows if row.key in keys and all(row.figure(figure) for figure in figures)]
        if rows:
            bars = [(_label(row), [row.figure(figure) or 0 for figure in figures]) for row in rows]
            (directory / f"{name}.svg").write_text(chart(title, bars, [each for each in figures.values() if each]))


def chart(title: str, bars: Sequence[tuple[str, Sequence[float]]], legend: Sequence[str] = ()) -> str:
    """A chart with a group of bars per label, all to one scale that begins at 0."""
    most = max(value for _, values in bars for value in values)
    scale = (_WIDTH - _LABEL - _VALUE) / most
    y = _TOP
    parts = [f'<text x="10" y="24" font-weight="bold">{escape(title)}</text>']
    for place, name in enumerate(legend):
        x = _LABEL + 90 * place
        parts.append(f'<rect x="{x}" y="13" width="12" height="12" fill="{_COLOURS[place]}"/>')
        parts.append(f'<text x="{x + 17}" y="24">{escape(name)}</text>')
    for label, values in bars:
        parts.append(f'<text x="{_LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(label)}</text>')
        for colour, value in zip(_COLOURS, values, strict=False):
            length = max(1, value * scale)
            parts.append(f'<rect x="{_LABEL}" y="{y}" width="{length:.0f}" height="{_BAR}" fill="{colour}"/>')
            parts.append(f'<text x="{_LABEL + length + 6:.0f}" y="{y + 13}">{_number(value)}</text>')
            y += _BAR + 2
        y += _STEP - _BAR - 2
    size = f'width="{_WIDTH}" height="{y + 8}" viewBox="0 0 {_WIDTH} {y + 8}"'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{_STYLE}">\n{body}\n</svg>\n'


def _label(row: Measured) -> str:
    clients = f", {row.clients:,} clients" if row.clients > CLIENTS else ""
    return f"{row.title}{clients}".replace("`", "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004  three digits either way
