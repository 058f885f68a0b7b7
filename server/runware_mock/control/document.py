"""The upload API as an OpenAPI document, made of the tables that the server itself works by.

Task types come from TASKS, their parameters from the tasks, errors from the catalogue, media types from FORMATS.
"""

from collections import defaultdict
from inspect import getdoc
from typing import Any

from runware_mock import __version__
from runware_mock.control.parameters import IMAGE, Asking, Schema
from runware_mock.images.formats import FORMATS, url_path
from runware_mock.protocol.errors import CATALOGUE
from runware_mock.protocol.messages import UUID, UUID_V4
from runware_mock.protocol.session import AUTHENTICATION
from runware_mock.services import Services
from runware_mock.tasks import TASKS

_ABOUT = (
    "Every task of the upload API, over REST and, one answer a frame, over the WebSocket at the same path. Planned "
    "faults may answer anything. Limits of sizes hold for most models; some have narrower ones. Words are taken in any "
    "case. An image is a UUID, a URL, a data URI or base64."
)
# What is refused before there is a task, at paths of its own.
_OF_OTHER_PATHS = ("notFound", "methodNotAllowed")
_ENVELOPE = {"$ref": "#/components/schemas/Answer"}
_ERROR: Schema = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        **{name: {"type": "string"} for name in ("code", "message", "parameter", "type", "taskType", "taskUUID")},
        "documentation": {"type": "string", "format": "uri"},
    },
}


def describe(services: Services, base_url: str) -> dict[str, Any]:
    """Return the document of the server at `base_url`."""
    tasks = _tasks(services)
    paths = {"/v1": {"post": _post(list(tasks))}, **_media(), **_watching()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "runware-mock upload API", "version": __version__, "description": _ABOUT},
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": {
                **tasks,
                "Image": IMAGE,
                "Answer": _answer(list(tasks), services.settings.data_shape),
                "Error": _ERROR,
            },
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer"}},
        },
    }


def _tasks(services: Services) -> dict[str, Schema]:
    """Return a schema for each task type; those that are one task by two names are asked once."""
    form = UUID_V4 if services.settings.uuid == "v4" else UUID
    uuid = {"type": "string", "pattern": f"^{form.pattern.replace('a-f', 'a-fA-F')}$"}
    asked = {row.run: name for name, row in TASKS.items()}
    taken = {name: Asking(name, services).taken() for name in asked.values()}
    schemas: dict[str, Schema] = {
        AUTHENTICATION: _object(
            AUTHENTICATION, {"apiKey": {"type": "string"}, "connectionSessionUUID": {}}, ["apiKey"]
        ),
        "ping": _object("ping", {"ping": {"const": True}}, []),
    }
    for name, row in TASKS.items():
        told = taken[asked[row.run]]
        always = [group[0] for group in told.required if len(group) == 1]
        schema = _object(name, {"taskUUID": uuid, **told.parameters}, ["taskUUID", *always])
        schema["description"] = told.refusal.replace(asked[row.run], name) if told.refusal else _first_line(row.run)
        schema["deprecated"] = bool(told.refusal)
        if some := [group for group in told.required if len(group) > 1]:
            schema["allOf"] = [{"anyOf": [{"required": [one]} for one in group]} for group in some]
        schemas[name] = schema
    return schemas


def _object(task_type: str, properties: dict[str, Schema], required: list[str]) -> Schema:
    return {
        "type": "object",
        "required": ["taskType", *required],
        "properties": {"taskType": {"const": task_type}, **properties},
    }


def _first_line(run: object) -> str:
    return (getdoc(run) or "").partition("\n")[0]


def _answer(task_types: list[str], data_shape: str) -> Schema:
    item = {
        "type": "object",
        "required": ["taskType"],
        "properties": {"taskType": {"enum": task_types}, "taskUUID": {"type": "string"}},
    }
    items = {"type": "array", "items": item}
    errors = {"type": "array", "items": {"$ref": "#/components/schemas/Error"}, "minItems": 1}
    data = items if data_shape == "array" else {"anyOf": [items, item]}
    return {"type": "object", "required": ["data"], "properties": {"data": data, "errors": errors}}


def _post(task_types: list[str]) -> Schema:
    references = {name: f"#/components/schemas/{name}" for name in task_types}
    task = {
        "anyOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "taskType", "mapping": references},
    }
    codes = defaultdict(list)
    for code, row in CATALOGUE.items():
        if code not in _OF_OTHER_PATHS:
            codes[row.status].append(row.code or code)
    refusals = {str(status): f"Every task failed, the first as one of {', '.join(codes[status])}." for status in codes}
    return {
        "summary": "Run tasks",
        "description": "An error of one task leaves the others alone: some failed, and the answer is still 200.",
        "parameters": [
            {"name": "dryRun", "in": "query", "schema": {"enum": ["1", "true"]}, "description": "Check, do nothing."}
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "array", "minItems": 1, "items": task}}},
        },
        # An authentication among the tasks stands for the header.
        "security": [{"apiKey": []}, {}],
        "responses": {
            status: _response(text, {"application/json": _ENVELOPE})
            for status, text in {"200": "The answers to the tasks.", **dict(sorted(refusals.items()))}.items()
        },
    }


def _media() -> dict[str, Schema]:
    """Return the paths of stored files: one a kind, though each serves them all."""
    content: dict[str, Schema] = {one.content_type: {} for one in FORMATS.values()}
    paths = dict.fromkeys(url_path("{uuid}", name, "{extension}") for name in FORMATS)
    parts = {"uuid": {"type": "string", "format": "uuid"}, "extension": {"type": "string", "pattern": r"^\w+$"}}
    parameters = [{"name": name, "in": "path", "required": True, "schema": schema} for name, schema in parts.items()]
    parameters += [{"name": name, "in": "header", "schema": {"type": "string"}} for name in ("Range", "If-None-Match")]
    return {
        path: {
            "get": {
                "summary": "Fetch a stored file",
                "parameters": parameters,
                "responses": {
                    "200": _response("The file.", content),
                    "206": _response("The bytes asked for.", content),
                    "304": _response("The client has it."),
                    "404": _response("It was never stored, or has expired.", {"application/json": _ENVELOPE}),
                    "416": _response("It has no such bytes."),
                },
            }
        }
        for path in paths
    }


def _watching() -> dict[str, Schema]:
    answer: dict[str, Schema] = {"application/json": {"type": "object", "required": ["status", "version"]}}
    missing: dict[str, Schema] = {"application/json": {"type": "object", "required": ["status", "missing"]}}
    responses = {
        "/health": {"200": _response("The process lives.", answer)},
        "/ready": {"200": _response("An upload would succeed.", answer), "503": _response("What is missing.", missing)},
        "/metrics": {"200": _response("Metrics for Prometheus.", {"text/plain": {"type": "string"}})},
    }
    return {path: {"get": {"summary": path[1:].capitalize(), "responses": one}} for path, one in responses.items()}


def _response(description: str, content: dict[str, Schema] | None = None) -> Schema:
    told = {"content": {media_type: {"schema": schema} for media_type, schema in content.items()}} if content else {}
    return {"description": description, **told}
