"""A small plot of the last hour, as SVG: it is stretched to its card, so it holds lines and no text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from checkpoint.operations.status_page.history import SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checkpoint.operations.status_page.history import LastHour, Point
    from checkpoint.operations.status_page.layout import Line, Plot

_WIDTH: Final = 360
_HEIGHT: Final = 72
_NOTHING: Final = "\N{EN DASH}"


def card(plot: Plot, hour: LastHour) -> str:
    """A plot with its title, its values now, and its scale; empty where the service has no such metrics."""
    lines = [line for line in plot.lines if line.measure.read(hour.values) is not None]
    if not lines:
        return ""
    points = {line.name: hour.points(line.measure) for line in lines}
    most = max((point.value for each in points.values() for point in each if point.value is not None), default=0.0)
    top = plot.end(most)
    now = {line.name: _written(plot, hour.now(line.measure)) for line in lines}
    drawn = "".join(_draw(number, points[line.name], top, hour.span) for number, line in enumerate(lines, 1))
    return (
        f'<article><h2>{escape(plot.title)}</h2><p class="now">{_legend(lines, now)}</p>'
        f'<div class="plot"><span class="top">{plot.unit(top)}</span>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img">'
        f"<title>{escape(_described(plot, lines, points, now, _named(hour.span)))}</title>{drawn}</svg></div>"
        f'<p class="scale"><span>{_named(hour.span, one=True)} ago</span><span>now</span></p></article>'
    )


def _legend(lines: Sequence[Line], now: dict[str, str]) -> str:
    if len(lines) == 1 and not lines[0].name:
        return f"<b>{now['']}</b>"
    return "".join(
        f'<span class="key"><i class="line{number}"></i><b>{now[line.name]}</b> {escape(line.name)}</span>'
        for number, line in enumerate(lines, 1)
    )


def _described(
    plot: Plot, lines: Sequence[Line], points: dict[str, list[Point]], now: dict[str, str], span: str
) -> str:
    """What a reader hears who does not see the plot."""
    told = []
    for line in lines:
        most = max((point.value for point in points[line.name] if point.value is not None), default=None)
        told.append(f"{line.name} now {now[line.name]}, at most {_written(plot, most)}".strip())
    return f"{plot.title} in the last {span}: {'; '.join(told)}"


def _named(span: float, *, one: bool = False) -> str:
    """`15 minutes`; `hour`, or `1 hour`."""
    return f"{span / 60:.0f} minutes" if span < SECONDS else "1 hour" if one else "hour"


def _written(plot: Plot, value: float | None) -> str:
    return _NOTHING if value is None else plot.unit(value)


def _draw(number: int, points: Sequence[Point], top: float, span: float) -> str:
    paths = []
    for run in _runs(points):
        places = [(_WIDTH * (1 - point.age / span), _HEIGHT * (1 - (point.value or 0.0) / top)) for point in run]
        if len(places) == 1:  # else nothing would be seen of it
            places.insert(0, (places[0][0] - 1, places[0][1]))
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        if number == 1:
            paths.append(
                f'<path class="area" d="M{places[0][0]:.1f},{_HEIGHT} L{line} L{places[-1][0]:.1f},{_HEIGHT}Z"/>'
            )
        paths.append(f'<path class="line{number}" d="M{line}"/>')
    return "".join(paths)


def _runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    """What is drawn without a gap."""
    run: list[Point] = []
    for point in points:
        if point.value is not None:
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run
