"""A status for a reader: a panel that fits 80 columns, in colours that a dark and a light terminal have."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from collections.abc import Collection

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from command_line.services import ServiceState
    from command_line.status.state import Status

_GOOD: Final = Text("●", style="green")
_BAD: Final = Text("✗", style="bold red")
_WARNING: Final = Text("!", style="bold magenta")
_UNKNOWN: Final = Text("–", style="dim")  # noqa: RUF001  a dash

_BARS: Final = " ▁▂▃▄▅▆▇█"
_TREND: Final = 12  # answers
_WIDE: Final = 70  # columns, without the panel's frame
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the panel: a mark, a name, a text, and at the right a rate or an age and a trend.

    It is a table of its own, so that a text with nothing at its right has the whole width. In a narrow terminal the
    rate or age is a line below, and there is no trend.
    """

    mark: Text | str
    name: str
    text: Text | str
    right: str = ""
    trend: Text | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As rich asks for it."""
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(width=1)
        table.add_column(width=12, no_wrap=True)
        table.add_column(ratio=1, overflow="fold")
        has_right = bool(self.right or self.trend)
        if has_right and options.max_width >= _WIDE:
            table.add_column(justify="right", no_wrap=True, width=11)
            table.add_column(no_wrap=True, width=_TREND)
            table.add_row(self.mark, self.name, self.text, self.right, self.trend)
        else:
            table.add_row(self.mark, self.name, self.text)
            if self.right:
                table.add_row("", "", self.right)
        yield table


class Rows:
    """The lines of the panel."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def add(
        self, mark: Text | str, name: str, text: Text | str, right: str = "", trend: deque[float] | None = None
    ) -> None:
        """Add a line."""
        self.lines.append(Line(mark, name, text, right, _trend(trend) if trend else None))


class Drawing:
    """Draws one status after the other, with what the last ones were.

    queue, archive: what is looked at, as its name is shown.
    """

    def __init__(self, *, queue: str, archive: str) -> None:
        self._queue = harmless(queue)
        self._archive = harmless(archive)
        self._posted: deque[float] = deque(maxlen=_TREND)
        self._archived: deque[float] = deque(maxlen=_TREND)
        self._depths: deque[float] = deque(maxlen=_TREND)

    def draw(self, status: Status) -> RenderableType:
        """The panel of a status; it becomes the last of the trends."""
        self._remember(status)
        rows = Rows()
        _add_service(rows, "intake", status.intake, _rate(status.posted_rate, "in"), self._posted)
        _add_service(rows, "broker", status.broker, _rate(status.archived_rate, "out"), self._archived)
        rows.add("", "", "")
        self._add_queue(rows, status)
        self._add_archive(rows, status)
        title = Text.assemble(("Checkpoint", "bold"), " · ", self._verdict(status))
        subtitle = Text(f"{status.at.astimezone():%Y-%m-%d %H:%M:%S}", style="dim")
        return Panel(
            Group(*rows.lines),
            title=title,
            title_align="left",
            subtitle=subtitle,
            subtitle_align="right",
            border_style="bright_black",
            padding=(1, 1),
        )

    def _remember(self, status: Status) -> None:
        if status.posted_rate is not None:
            self._posted.append(status.posted_rate)
        if status.archived_rate is not None:
            self._archived.append(status.archived_rate)
        if not isinstance(status.depth, str):
            self._depths.append(status.depth.waiting + status.depth.in_flight)

    def _verdict(self, status: Status) -> Text:
        match int(status.code):
            case 0:
                return Text("all is well", style="green")
            case 1:
                return Text("needs a look", style="bold red")
            case _:
                return Text("nothing answers", style="bold red")

    def _add_queue(self, rows: Rows, status: Status) -> None:
        depth = status.depth
        if isinstance(depth, str):
            rows.add(_BAD, "queue", Text(harmless(depth), style="red"))
            rows.add("", "", Text(self._queue, style="dim"))
            rows.add(_UNKNOWN, "dead letters", Text("unknown", style="dim"))
            return
        text = Text.assemble(
            (f"{depth.waiting:,}", "bold"), " waiting  ", (f"{depth.in_flight:,}", "bold"), " in flight"
        )
        oldest = "" if depth.oldest_seconds is None else f"oldest {_duration(depth.oldest_seconds)}"
        rows.add(_GOOD, "queue", text, oldest, self._depths)
        rows.add("", "", Text(self._queue, style="dim", overflow="ellipsis", no_wrap=True))
        match depth.dead_letters:
            case None:
                rows.add(_WARNING, "dead letters", "there is no dead-letter queue: set a RedrivePolicy")
            case 0:
                rows.add(_GOOD, "dead letters", "none")
            case many:
                rows.add(_BAD, "dead letters", Text(f"{many:,}", style="bold red"))
                rows.add("", "", Text("checkpoint dead-letters list", style="dim"))

    def _add_archive(self, rows: Rows, status: Status) -> None:
        if status.count is None:
            rows.add(_UNKNOWN, "archive", Text("not counted", style="dim"))
        else:
            more = "" if status.count.is_whole else "more than "
            objects = "object" if (status.count.objects, more) == (1, "") else "objects"
            rows.add(_GOOD, "archive", Text.assemble(more, (f"{status.count.objects:,}", "bold"), f" {objects}"))
        rows.add("", "", Text(self._archive, style="dim", overflow="ellipsis", no_wrap=True))


def _add_service(rows: Rows, name: str, state: ServiceState | None, rate: str, rates: deque[float]) -> None:
    if state is None:
        rows.add(_UNKNOWN, name, Text("not asked: it has no URL here", style="dim"))
        return
    if state.problem:
        rows.add(_BAD, name, Text(harmless(state.problem), style="red"))
        return
    ready = Text("ready") if state.is_ready else Text("not ready", style="bold red")
    if state.version:
        ready.append(f"  {harmless(state.version)}", style="dim")
    rows.add(_GOOD if state.is_ready else _BAD, name, ready, rate, rates)
    for condition, reason in state.faults.items():
        rows.add("", "", Text(f"{harmless(condition)}: {harmless(reason)}", style="red"))
    for warned, reason in state.warnings.items():
        rows.add(_WARNING, "", Text(f"{harmless(warned)}: {harmless(reason)}"))


def _rate(rate: float | None, direction: str) -> str:
    return "" if rate is None else f"{rate:,.0f}/s {direction}"


def _trend(values: Collection[float]) -> Text:
    """A bar for each value, the highest of them as high as a line; nothing for fewer than two."""
    if len(values) < 2:  # noqa: PLR2004  one is no trend
        return Text("")
    highest = max(values)
    bars = [_BARS[max(1, round(value / highest * (len(_BARS) - 1)))] if highest else _BARS[1] for value in values]
    return Text("".join(bars), style="cyan")


def _duration(seconds: float) -> str:
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.0f} h"
    return f"{seconds / _DAY:.0f} d"
