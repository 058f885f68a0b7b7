"""The document of the upload API says of each task what the task itself does."""

import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from runware_mock.control.parameters import EXAMPLE_IMAGE
from runware_mock.protocol.errors import CATALOGUE
from runware_mock.storage.tables import content, medium
from runware_mock.tasks import TASKS, unsupported
from tests import plain
from tests.control.calling import Calls
from tests.running import RunningMock, clean_environment, running_mock
from tests.talking import new_uuid

Schema = dict[str, Any]
SUPPORTED = sorted(TASKS.keys() - unsupported.NAMES)
LIMITS = ("minimum", "maximum", "minLength", "maxLength")


@pytest.fixture(scope="module")
def document() -> Schema:
    with running_mock() as mock:
        described: Schema = plain.get(f"{mock.url}/_mock/v1/openapi.json").json()
        # Whatever was asked of the tasks, nothing was kept.
        assert (mock.count(medium), mock.count(content)) == (0, 0)
    return described


@pytest.fixture(scope="module")
def schemas(document: Schema) -> Schema:
    found: Schema = document["components"]["schemas"]
    return found


def good(schema: Schema) -> object:
    """Return a value that the schema allows."""
    if "$ref" in schema or "anyOf" in schema or EXAMPLE_IMAGE in schema.get("examples", ()):
        return EXAMPLE_IMAGE
    if "pattern" in schema:
        return "http://127.0.0.1:1/" if schema.get("format") == "uri" else "example:1@1"
    plain: Mapping[str, object] = {"boolean": True, "array": [1, 2, 3, 1], "string": "x" * schema.get("minLength", 1)}
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") in plain:
        return plain[schema["type"]]
    return schema.get("minimum", {"image": EXAMPLE_IMAGE})


def task(name: str, schema: Schema, *without: str, **more: object) -> Schema:
    """Return a task that the schema allows."""
    needed = {*schema["required"], *(group["anyOf"][0]["required"][0] for group in schema.get("allOf", ()))}
    fields = {one: good(schema["properties"][one]) for one in needed - {"taskType", "taskUUID", *without}}
    return {"taskType": name, "taskUUID": new_uuid(), **fields, **more}


def refusal(mock: RunningMock, api_key: str, sent: Schema) -> Schema:
    """Return the error of a task that is only checked, or nothing."""
    answer = plain.post(f"{mock.rest_url}?dryRun=1", json=[sent], headers={"Authorization": f"Bearer {api_key}"})
    errors = answer.json().get("errors")
    return errors[0] if errors else {}


def test_every_task_type_has_a_schema_that_is_one(document: Schema, schemas: Schema) -> None:
    assert {name for name in schemas if name[0].islower() or name[0].isdecimal()} == {
        *TASKS,
        "authentication",
        "ping",
    }
    for schema in schemas.values():
        assert jsonschema_rs.meta.is_valid(schema)
    statuses = {row.status for code, row in CATALOGUE.items() if code != "methodNotAllowed"}
    assert {int(status) for status in document["paths"]["/v1"]["post"]["responses"]} == {200, *statuses}


@pytest.mark.parametrize("name", SUPPORTED)
def test_the_limits_of_every_parameter_are_those_of_the_task(
    mock: RunningMock, schemas: Schema, api_key: str, name: str
) -> None:
    schema, checked = schemas[name], 0
    for field, one in schema["properties"].items():
        for limit in set(LIMITS) & one.keys():
            bound, inward = one[limit], 1 if limit.startswith("min") else -1
            is_text = limit.endswith("Length")
            if is_text and bound > 10_000:
                continue
            on, beyond = ("x" * bound, "x" * (bound - inward)) if is_text else (bound, bound - inward)
            if bound != 0 or not is_text:
                # Of a limit tells only who has one.
                assert "min" not in refusal(mock, api_key, task(name, schema, **{field: on})), (field, limit)
                assert refusal(mock, api_key, task(name, schema, **{field: beyond}))["parameter"] == field
                checked += 1
        for word in one.get("enum", ()):
            assert refusal(mock, api_key, task(name, schema, **{field: word})).get("parameter") != field
    assert checked or name in ("imageUpload", "mediaStorage", "getResponse", "caption", "imageCaption")


@pytest.mark.parametrize("name", SUPPORTED)
def test_what_is_required_is_missed_and_what_replaces_it_will_do(
    mock: RunningMock, schemas: Schema, api_key: str, name: str
) -> None:
    schema = schemas[name]
    groups = [[one["required"][0] for one in group["anyOf"]] for group in schema.get("allOf", ())]
    groups += [[one] for one in schema["required"] if one not in ("taskType", "taskUUID")]
    for first, *others in groups:
        missed = asked(mock, api_key, task(name, schema, first))
        assert (missed["parameter"], missed["code"]) == (first, f"missing{first[0].upper()}{first[1:]}")
        for other in others:
            sent = task(name, schema, first, **{other: good(schema["properties"][other])})
            assert asked(mock, api_key, sent).get("code") != missed["code"], other


def asked(mock: RunningMock, api_key: str, sent: Schema) -> Schema:
    """Return the error of a task that is run, or nothing."""
    answer = plain.post(mock.rest_url, json=[sent], headers={"Authorization": f"Bearer {api_key}"}, timeout=60)
    errors = answer.json().get("errors")
    return errors[0] if errors else {}


@pytest.mark.parametrize("name", sorted(unsupported.NAMES))
def test_what_is_not_supported_says_so(schemas: Schema, name: str) -> None:
    assert schemas[name]["deprecated"]
    assert (
        schemas[name]["description"]
        == f"Unsupported task type. {name} exists, but runware-mock has no stand-in for it."
    )


def test_settings_show_in_the_document() -> None:
    with running_mock(uuid="any", data_shape="object") as mock:
        told = plain.get(f"{mock.url}/_mock/v1/openapi.json").json()
    schemas = told["components"]["schemas"]
    assert "anyOf" in schemas["Answer"]["properties"]["data"]
    assert "-4[" not in schemas["imageUpload"]["properties"]["taskUUID"]["pattern"]
    assert told["servers"] == [{"url": mock.url}]


def test_the_page_tells_every_task_with_its_parameters(control: Calls) -> None:
    page = control.client.get("/v1/docs")
    assert page.status_code == 200
    assert "script" not in page.text
    for name in TASKS:
        assert f"<code>{name}</code>" in page.text
    assert "integer minimum 20, maximum 99" in page.text
    assert "Needs one of" in page.text
    assert "/_mock/v1/docs" in control.client.get("/docs").text


@cache
def loaded_at_start() -> list[str]:
    script = (
        "import sys; from runware_mock.app import create_app; from runware_mock.settings import Settings; "
        "create_app(Settings(in_memory=True)); print(*sys.modules)"
    )
    run = [sys.executable, "-c", script]
    return subprocess.run(run, check=True, capture_output=True, text=True, env=clean_environment()).stdout.split()


@pytest.mark.parametrize(
    "module", ["runware_mock.control.document", "runware_mock.control.parameters", "fastapi", "pydantic"]
)
def test_the_start_loads_nothing_of_it(module: str) -> None:
    assert "runware_mock.app" in loaded_at_start()
    assert module not in loaded_at_start()
