"""The page at /docs: Swagger UI, and an OpenAPI document in plain HTML where there is no JavaScript."""

from __future__ import annotations

import json
from html import escape
from typing import Any


def render(document: dict[str, Any], swagger_ui: str) -> str:
    """The page for a document as `openapi.describe` makes it. swagger_ui: the folder, relative to the page."""
    title = _text(document["info"]["title"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f'<link rel="stylesheet" href="{swagger_ui}/swagger-ui.css"><link rel="stylesheet" href="docs/docs.css">'
        f'<script src="{swagger_ui}/swagger-ui-bundle.js" defer></script><script src="docs/docs.js" defer></script>'
        f'</head><body><div id="swagger-ui"></div><noscript><main class="plain">{_plain(document)}</main></noscript>'
        "</body></html>"
    )


def _plain(document: dict[str, Any]) -> str:
    info = document["info"]
    parts = [f"<h1>{_text(info['title'])} {_text(info['version'])}</h1><p>{_text(info['description'])}</p>"]
    for path, operations in document["paths"].items():
        parts += [_operation(method, path, operation) for method, operation in operations.items()]
    parts.append("<h2>Types</h2>")
    parts += [_schema(name, schema) for name, schema in document["components"]["schemas"].items()]
    parts.append('<p>For programs: <a href="openapi.json">openapi.json</a></p>')
    return "".join(parts)


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
