"""Add the tasks of the upload API to FastAPI's own OpenAPI document.

The body of `POST /v1` is parsed task by task, so that one bad task fails alone. FastAPI therefore does not see the
models.
"""

from collections import defaultdict
from typing import Annotated, Any, Literal, Union

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from runware_mock.images.formats import FORMATS
from runware_mock.protocol.errors import CATALOGUE
from runware_mock.protocol.messages import EVENT_STREAM
from runware_mock.tasks import TASKS
from runware_mock.tasks.models import AnyTask
from runware_mock.tasks.validation import TaskSchema

_REF = "#/components/schemas/{model}"
# Errors of requests without any task.
_OF_OTHER_PATHS = ("notFound", "methodNotAllowed")


class _Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="allow", defer_build=True)


class Authentication(_Wire):
    """Send the API key in the body instead of the Authorization header, or in the first frame of a WebSocket."""

    task_type: Literal["authentication"]
    api_key: str
    connection_session_uuid: str = Field("", alias="connectionSessionUUID")


class Ping(_Wire):
    """Keep a WebSocket open."""

    task_type: Literal["ping"]
    ping: Literal[True] = True


class TaskResult(_Wire):
    """One result of a task. Its fields depend on the task type."""

    task_type: str
    task_uuid: str = Field("", alias="taskUUID")
    image_uuid: str = Field("", alias="imageUUID")
    image_url: str = Field("", alias="imageURL")
    image_base64_data: str = Field("", alias="imageBase64Data")
    image_data_uri: str = Field("", alias="imageDataURI")
    input_image_uuid: str = Field("", alias="inputImageUUID")
    guide_image_uuid: str = Field("", alias="guideImageUUID")
    guide_image_url: str = Field("", alias="guideImageURL")
    mask_image_uuid: str = Field("", alias="maskImageUUID")
    mask_image_url: str = Field("", alias="maskImageURL")
    media_uuid: str = Field("", alias="mediaUUID")
    media_url: str = Field("", alias="mediaURL")
    operation: str = ""
    text: str = ""
    seed: int = 0
    cost: float = 0
    status: str = Field("", description="In an answer to getResponse: processing or success.")


class TaskError(_Wire):
    """Why one task failed."""

    code: str
    message: str
    parameter: str = ""
    type: str = Field("", description="The JSON type that the parameter must have.")
    documentation: str = ""
    task_type: str = ""
    task_uuid: str = Field("", alias="taskUUID")


class Answer(_Wire):
    """The answers to all tasks of a request. `errors` is left out if no task failed."""

    data: list[TaskResult]
    errors: Annotated[list[TaskError], Field(min_length=1)] | None = None


def _file_operation() -> dict[str, Any]:
    content: dict[str, Any] = {
        one.content_type: {"schema": {"type": "string", "format": "binary"}} for one in FORMATS.values()
    }
    gone = {"application/json": {"schema": {"$ref": _REF.format(model="Answer")}}}
    name = {"type": "string", "examples": ["ii/989ba605-1449-4e1e-b462-cd83ec9c1a67.jpg"]}
    return {
        "parameters": [
            {"name": "path", "in": "path", "required": True, "schema": name},
            *({"name": header, "in": "header", "schema": {"type": "string"}} for header in ("Range", "If-None-Match")),
        ],
        "responses": {
            "200": {"description": "The file.", "content": content},
            "206": {"description": "The bytes asked for.", "content": content},
            "304": {"description": "The client has it."},
            "404": {"description": "It was never stored, or has expired.", "content": gone},
            "416": {"description": "It has no such bytes."},
        },
    }


# What FastAPI cannot know about a route that serves stored files.
FILE_OPERATION = _file_operation()


def add_tasks(app: FastAPI) -> None:
    """Add the schemas of the tasks to the application's document, in the way that FastAPI's documentation shows."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        document = describe()
        components = document.setdefault("components", {})
        components["schemas"] = dict(sorted({**components.get("schemas", {}), **task_schemas()}.items()))
        components["securitySchemes"] = {"apiKey": {"type": "http", "scheme": "bearer"}}
        return document

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI documents it


def task_models() -> list[type[BaseModel]]:
    """Return the models of all tasks, each once."""
    models = dict.fromkeys(row.model for row in TASKS.values() if row.model is not AnyTask)
    return [*models, Authentication, Ping]


def task_schemas() -> dict[str, Any]:
    """Return the schemas of all tasks and of their answers, and `Task`, which is any of the tasks."""
    any_task: Any = Annotated[Union[tuple(task_models())], Field(discriminator="task_type")]  # noqa: UP007 - of a list
    task = TypeAdapter(any_task).json_schema(ref_template=_REF, schema_generator=TaskSchema)
    answer = Answer.model_json_schema(ref_template=_REF, schema_generator=TaskSchema, mode="serialization")
    return {**task.pop("$defs"), "Task": task, **answer.pop("$defs"), "Answer": answer}


def task_operation() -> dict[str, Any]:
    """Return what FastAPI cannot know about `POST /v1`: its body, its answers, and its need of a key."""
    codes: dict[int, list[str]] = defaultdict(list)
    for code, row in CATALOGUE.items():
        shown = row.code or code
        if code not in _OF_OTHER_PATHS and shown not in codes[row.status]:
            codes[row.status].append(shown)
    refusals = {str(status): f"Every task failed, the first as one of {', '.join(codes[status])}." for status in codes}
    tasks = {"type": "array", "minItems": 1, "items": {"$ref": _REF.format(model="Task")}}
    answer = {"application/json": {"schema": {"$ref": _REF.format(model="Answer")}}}
    text = {"schema": {"type": "string"}}
    event = {"type": "object", "required": ["data"], "properties": {"data": {"type": "string"}}}
    # "itemSchema" is of OpenAPI 3.2; FastAPI describes the events of its own streams in the same way.
    streamed = {EVENT_STREAM: {**text, "itemSchema": event}}
    dry_run = "Check the tasks and tell their cost, but do nothing."
    return {
        "parameters": [
            {"name": "dryRun", "in": "query", "schema": {"enum": ["1", "true"]}, "description": dry_run},
            {"name": "X-Runware-Dry-Run", "in": "header", "schema": {"enum": ["1", "true"]}, "description": dry_run},
            {"name": "X-Runware-Mock-Plan", "in": "header", **text, "description": "Name of a fault plan to meet."},
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": tasks}}},
        # An authentication task may replace the header.
        "security": [{"apiKey": []}, {}],
        "responses": {
            "200": {"description": "The answers to the tasks, or a streamed text.", "content": {**answer, **streamed}},
            **{status: {"description": why, "content": answer} for status, why in sorted(refusals.items())},
        },
    }
