"""The page that describes the control API: written from its OpenAPI document, without a script or another host."""

from html import escape
from typing import Any

from starlette.responses import HTMLResponse

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
code,pre{font:.9em ui-monospace,monospace}pre{overflow:auto;padding:.6rem;border:1px solid #8888;border-radius:.3rem}
h3 code:first-child{display:inline-block;min-width:4.5rem}section{margin:2rem 0}dt{font-weight:600}
"""
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


def docs_page(document: dict[str, Any]) -> HTMLResponse:
    """Return the page for an OpenAPI document."""
    parts = []
    for path, operations in document["paths"].items():
        parts += [_operation(path, method.upper(), one) for method, one in operations.items()]
    title = escape(document["info"]["title"])
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title} {escape(document['info']['version'])}</h1>"
        "<p>Send the application's API key as <code>Authorization: Bearer KEY</code> to speak of its account; without "
        "it a call speaks of all accounts. Machine-readable: <a href=openapi.json>openapi.json</a>.</p>"
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
