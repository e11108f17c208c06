"""Every place in the code of both services where it waits, and at which of them a process is suspended.

Between two of them nothing of a process reaches the outside, so these are all the places where a crash can make a
difference.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import checkpoint.batching.batcher
import message_broker.service
import processing_requests.service

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Iterator
    from types import CodeType

INTAKE: Final = "intake"
BROKER: Final = "broker"

_APPS: Final = {
    INTAKE: Path(processing_requests.service.__file__).parent,
    BROKER: Path(message_broker.service.__file__).parent,
}
_CHECKPOINT: Final = Path(checkpoint.batching.batcher.__file__).parents[1]
_OF_BOTH: Final = ("batching/*.py", "operations/background.py", "operations/summary.py")
_OF_ONE: Final[dict[str, tuple[str, ...]]] = {INTAKE: (), BROKER: ("archive/archive.py",)}

# These open sockets and adapters; the simulation does in their place what they do then. A self-check is no service, and
# what makes traces is there only where they are asked for.
_NOT_SIMULATED_FILES: Final = frozenset({"__main__.py", "start.py", "self_check.py", "traced.py"})
_NOT_SIMULATED: Final = frozenset({"run(settings", "open_service(settings", "serve(self"})


class Point(NamedTuple):
    """A place where a service waits. file: from the folder of its package on. line: where the expression begins."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}  {self.text}"


@cache
def points(role: str) -> list[Point]:
    """All places of one service, in the order of its files; without those that begin at a socket."""
    return sorted({point for path in _files(role) for point in _lines(str(path)).values()})


@cache
def all_points() -> list[Point]:
    """All places of both services."""
    return sorted({*points(INTAKE), *points(BROKER)})


def suspended_at(tasks: Iterable[asyncio.Task[Any]]) -> set[Point]:
    """Where the tasks of a process wait."""
    return {point for task in tasks if not task.done() for point in _of_chain(task.get_coro())}


def _of_chain(waiting: Any) -> Iterator[Point]:
    """Where a coroutine waits, and what it waits for, down to a future. In a context manager that is a generator."""
    while True:
        if (frame := getattr(waiting, "cr_frame", None)) is not None:
            inner = waiting.cr_await
            if inner is not None and frame.f_code.co_name in {"__aenter__", "__aexit__"} and "self" in frame.f_locals:
                inner = getattr(frame.f_locals["self"], "gen", inner)
        elif (frame := getattr(waiting, "ag_frame", None)) is not None:
            inner = waiting.ag_await
        else:
            return
        if point := _point(frame.f_code, frame.f_lasti, frame.f_lineno):
            yield point
        waiting = inner


_found: dict[tuple[CodeType, int], Point | None] = {}


def _point(code: CodeType, instruction: int, line: int) -> Point | None:
    key = code, instruction
    if key not in _found:
        _found[key] = _lines(code.co_filename).get(line)
    return _found[key]


def _files(role: str) -> list[Path]:
    shared = [path for pattern in (*_OF_BOTH, *_OF_ONE[role]) for path in _CHECKPOINT.glob(pattern)]
    own = [path for path in _APPS[role].glob("*.py") if path.name not in _NOT_SIMULATED_FILES]
    return [*sorted(own), *shared]


@cache  # to enter or to leave an `asyncio.timeout` waits for nothing, so it is no such place
def _lines(file: str) -> dict[int, Point]:
    """The place that each line of a file belongs to, where it belongs to one."""
    path = Path(file)
    roots = (*_APPS.values(), _CHECKPOINT)
    root = next((root.parent for root in roots if root in path.parents), None)
    if root is None or path not in {*_files(INTAKE), *_files(BROKER)}:
        return {}
    source = path.read_text(encoding="utf-8")
    text = source.splitlines()
    lines: dict[int, Point] = {}

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.AsyncFunctionDef) and _start(child) in _NOT_SIMULATED:
                continue
            last = 0
            if isinstance(child, ast.Await):
                last = child.end_lineno or child.lineno
            elif isinstance(child, ast.AsyncWith) and "asyncio.timeout" not in ast.unparse(child.items[0]):
                last = child.items[-1].context_expr.end_lineno or child.lineno
            elif isinstance(child, ast.AsyncFor):
                last = child.iter.end_lineno or child.lineno
            if last:
                first = child.lineno  # type: ignore[attr-defined]  # each of the three has one
                point = Point(str(path.relative_to(root)), first, text[first - 1].strip())
                lines.update(dict.fromkeys(range(first, last + 1), point))
            visit(child)  # the inner one of two has its lines

    visit(ast.parse(source))
    return lines


def _start(function: ast.AsyncFunctionDef) -> str:
    """How a function's definition begins."""
    arguments = function.args.args
    return f"{function.name}({arguments[0].arg}" if arguments else function.name
