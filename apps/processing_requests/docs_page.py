"""An OpenAPI document as one page of plain HTML: no script, nothing fetched from anywhere."""

from __future__ import annotations

import json
from html import escape
from typing import Any, Final

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; color: #1b1f24 }
h1, h2, h3 { line-height: 1.2 } h2 { margin-top: 2.5rem } code, pre { font: 14px/1.5 ui-monospace, monospace }
pre { background: #f4f6f8; padding: .8rem 1rem; border-radius: 6px; overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid #d9dee3 }
@media (prefers-color-scheme: dark) { body { background: #14171a; color: #e4e7ea } pre { background: #1f2429 } }
"""


def render(document: dict[str, Any]) -> str:
    """The page for a document as `openapi.describe` makes it."""
    info = document["info"]
    parts = [f"<h1>{_text(info['title'])} {_text(info['version'])}</h1><p>{_text(info['description'])}</p>"]
    for path, operations in document["paths"].items():
        parts += [_operation(method, path, operation) for method, operation in operations.items()]
    parts.append("<h2>Types</h2>")
    parts += [_schema(name, schema) for name, schema in document["components"]["schemas"].items()]
    parts.append('<p>For programs: <a href="openapi.json">openapi.json</a></p>')
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>{"".join(parts)}</html>'
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    example = operation["requestBody"]["content"]["application/json"]["example"]
    rows = "".join(
        f"<tr><td>{status}</td><td>{body}</td><td>{meaning}</td></tr>"
        for status, response in operation["responses"].items()
        for body, meaning in _bodies(response)
    )
    return (
        f"<h2><code>{method.upper()} {_text(path)}</code></h2><p>{_text(operation['summary'])}. "
        f"{_text(operation['description'])}</p><pre>{_text(json.dumps(example, indent=2))}</pre>"
        f"<h3>Answers</h3><table><tr><th>Status</th><th>Body</th><th>Meaning</th></tr>{rows}</table>"
    )


def _bodies(response: dict[str, Any]) -> list[tuple[str, str]]:
    content = response["content"]["application/json"]
    examples = content.get("examples") or {"": {"value": content["example"], "summary": response["description"]}}
    return [(f"<code>{_text(json.dumps(each['value']))}</code>", _text(each["summary"])) for each in examples.values()]


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{_text(member)}</code></td><td>{'required' if member in required else ''}</td>"
        f"<td><code>{_text(json.dumps(kind))}</code></td></tr>"
        for member, kind in schema["properties"].items()
    )
    return f"<h3>{_text(name)}</h3><p>{_text(schema.get('description', ''))}</p><table>{rows}</table>"


def _text(text: str) -> str:
    return escape(str(text))
