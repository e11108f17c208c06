"""As much of GitHub's expressions as the workflows use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN: Final = re.compile(r"\s*('(?:[^']|'')*'|[A-Za-z_][\w.-]*(?:\(\))?|==|!=|&&|\|\||!|[()])")
_OPERATORS: Final = {"==": "==", "!=": "!=", "&&": " and ", "||": " or ", "!": " not ", "(": "(", ")": ")"}


def evaluate(expression: str, context: Mapping[str, object]) -> object:
    """What an expression comes to. A name that the context does not have is empty, as on GitHub."""
    python, rest = "", expression.strip()
    values: list[object] = []
    while rest:
        token = _TOKEN.match(rest)
        assert token, f"This expression is more than is understood here: {expression}"
        rest = rest[token.end() :].strip()
        if token[1] in _OPERATORS:
            python += _OPERATORS[token[1]]
        else:
            python += f"values[{len(values)}]"
            values.append(token[1][1:-1] if token[1].startswith("'") else context.get(token[1], ""))
    return eval(python, {"values": values})  # noqa: S307  of our own workflows, and nothing but the tokens above


def fill(text: object, context: Mapping[str, object]) -> str:
    """A value of the workflow with every `${{ }}` in it replaced."""

    def value(match: re.Match[str]) -> str:
        found = evaluate(match[1], context)
        return str(found).lower() if isinstance(found, bool) else str(found)

    return re.sub(r"\$\{\{(.*?)\}\}", value, str(text))
