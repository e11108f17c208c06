"""Draw docs/images/status.svg: what `checkpoint status --watch` shows after some looks at services that run.

The settings are those of `checkpoint`, from the environment. Start both services and something that posts first.
"""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from command_line.running import ExitCode, run
from command_line.status.commands import described, looking_at
from command_line.status.drawing import Drawing

if TYPE_CHECKING:
    from command_line.settings import CommandLineSettings

PICTURE: Final = Path(__file__).parents[1] / "docs" / "images" / "status.svg"
LOOKS: Final = 17  # a whole row of bars
SECONDS: Final = 1.0
# Rich's, but with fonts of the reader's machine: an image on GitHub may load none from elsewhere.
FORMAT: Final = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code", "ui-monospace"
)


async def draw(settings: CommandLineSettings) -> ExitCode:
    """Look so often, and draw what was seen last."""
    console = Console(file=io.StringIO(), record=True, force_terminal=True, width=84, color_system="truecolor")
    drawing = Drawing(queue=described(settings.queue_url), archive=described(settings.archive_url))
    async with looking_at(settings) as looking:
        for _ in range(LOOKS):
            drawn = drawing.draw(found := await looking.look())
            await asyncio.sleep(SECONDS)
    console.print(drawn)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(console.export_svg(title="checkpoint status --watch", code_format=FORMAT))
    return found.code


def main() -> None:
    """Do it, and exit with what `status` exits with."""
    run(draw)


if __name__ == "__main__":
    typer.run(main)
