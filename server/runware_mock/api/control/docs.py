"""The page that describes an API: written from its OpenAPI document, without a script or another host."""

from html import escape
from typing import Any

from starlette.responses import HTMLResponse

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
code,pre{font:.9em ui-monospace,monospace}pre{overflow:auto;padding:.6rem;border:1px solid #8888;border-radius:.3rem}
h3 code:first-child{display:inline-block;min-width:4.5rem}section{margin:2rem 0}dt{font-weight:600}
dd{overflow-wrap:anywhere}
"""
ABOUT = (
    "Send the application's API key as `Authorization: Bearer KEY` to speak of its account; without it a call speaks "
    "of all accounts. The upload API has a description of its own at /_mock/v1/docs."
)
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


def docs_page(document: dict[str, Any]) -> HTMLResponse:
    """Return the page for an OpenAPI document."""
    parts = [
        _operation(path, method.upper(), one)
        for path, operations in document["paths"].items()
        for method, one in operations.items()
    ]
    parts += [_task(name, one) for name, one in document["components"]["schemas"].items() if "taskType" in _fields(one)]
    title = escape(document["info"]["title"])
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title} {escape(document['info']['version'])}</h1>"
        f"<p>{escape(document['info']['description'])} Machine-readable: <a href=openapi.json>openapi.json</a>.</p>"
        + "".join(parts)
        + "</html>"
    )
    return HTMLResponse(page, headers=_HEADERS)


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<dt><code>{escape(one['name'])}</code></dt><dd>{escape(one.get('description', '')) or '&nbsp;'}</dd>"
        for one in operation.get("parameters", [])
    )
    example = f"curl -X {method} -H 'Authorization: Bearer KEY' http://127.0.0.1:8080{path}"
    return (
        f"<section><h3><code>{method}</code> <code>{escape(path)}</code></h3>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        f"<dl>{parameters}</dl><pre>{escape(example)}</pre></section>"
    )


def _task(name: str, schema: dict[str, Any]) -> str:
    """Describe one kind of task."""
    required = schema["required"]
    fields = "".join(
        f"<dt><code>{escape(field)}</code>{' (required)' if field in required else ''}</dt>"
        f"<dd>{escape(_value(one)) or '&nbsp;'}</dd>"
        for field, one in _fields(schema).items()
        if field != "taskType"
    )
    groups = [[one["required"][0] for one in group["anyOf"]] for group in schema.get("allOf", ())]
    needs = "".join(f"<p>Needs one of <code>{escape(', '.join(group))}</code>.</p>" for group in groups)
    return (
        f"<section><h3><code>taskType</code> <code>{escape(name)}</code></h3>"
        f"<p>{escape(schema.get('description', ''))}</p>{needs}<dl>{fields}</dl></section>"
    )


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = schema.get("properties", {})
    return {} if "enum" in fields.get("taskType", ()) else fields


def _value(schema: dict[str, Any]) -> str:
    """Write what a parameter may be, in a line."""
    if "anyOf" in schema:
        return " or ".join(_value(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2]).lower()
    if "enum" in schema:
        return ", ".join(schema["enum"])
    told = {name: value for name, value in schema.items() if name not in ("type", "description", "examples", "items")}
    limits = ", ".join(f"{name} {value}" for name, value in told.items())
    return " ".join(part for part in (schema.get("type", ""), limits, schema.get("description", "")) if part)
