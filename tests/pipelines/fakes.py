"""Programs that only write down how they were called, and answer by the first rule whose words are in the call."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

FAKED: Final = ("aws", "docker", "git", "kubectl", "sleep")
_FAKE: Final = """\
#!{python} -IS
import json, pathlib, sys
folder = pathlib.Path({folder!r})
name = pathlib.Path(sys.argv[0]).name
said = sys.stdin.read() if "--password-stdin" in sys.argv else ""
line = " ".join([name, *sys.argv[1:]])
calls = folder / "calls.jsonl"
with calls.open("a") as log:
    log.write(json.dumps([line, said]) + "\\n")
for words, answers in json.loads((folder / "rules.json").read_text()):
    if words in line:
        times = sum(words in json.loads(call)[0] for call in calls.read_text().splitlines())
        status, output = answers[min(times, len(answers)) - 1]
        sys.stdout.write(output)
        sys.exit(status)
"""

# Words of a command line, and what is answered the first time, the second, and from the last one on: status and output.
Rules = Mapping[str, Sequence[tuple[int, str]]]


def put_fakes(folder: Path, rules: Rules) -> None:
    """Put the programs into `bin` below the folder."""
    (folder / "bin").mkdir()
    (folder / "calls.jsonl").touch()
    (folder / "rules.json").write_text(json.dumps(list(rules.items())))
    for program in FAKED:
        fake = folder / "bin" / program
        fake.write_text(_FAKE.format(python=sys.executable, folder=str(folder)))
        fake.chmod(0o755)


def calls(folder: Path) -> list[tuple[str, str]]:
    """Every call so far, and what it was given on stdin."""
    return [tuple(json.loads(line)) for line in (folder / "calls.jsonl").read_text().splitlines()]
