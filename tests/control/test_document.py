"""The OpenAPI document of the upload API says of each task what the task itself does."""

from typing import Any, get_args

import jsonschema_rs
import pytest
from pydantic import ValidationError

from runware_mock.faults.kinds import FAULT, KINDS, example
from runware_mock.images.standins.preprocess import PREPROCESSORS
from runware_mock.protocol.errors import CATALOGUE
from runware_mock.tasks import TASKS
from runware_mock.tasks.image_models import PreprocessorName
from runware_mock.tasks.models import EXAMPLE_IMAGE, AnyTask
from tests import plain
from tests.running import RunningMock, running_mock
from tests.talking import new_uuid

Schema = dict[str, Any]
NAMES = sorted(name for name, row in TASKS.items() if row.model is not AnyTask)
LIMITS = {"minimum": -1, "maximum": 1, "minLength": -1, "maxLength": 1}
# A model that takes any size, so that no narrower rule than the document's hides its limits.
GOOD = {
    "model": "example:1@1",
    "positivePrompt": "a cat",
    "prompt": "a cat",
    "width": 64,
    "height": 64,
    "category": "lora",
    "architecture": "sdxl",
    "format": "safetensors",
    "air": "acme:1@1",
    "name": "a model",
    "uniqueIdentifier": "abc",
    "version": "1",
    "downloadURL": "https://example.com/x",
}


@pytest.fixture(scope="module")
def document() -> Schema:
    with running_mock() as mock:
        described: Schema = plain.get(f"{mock.url}/openapi.json").json()
    return described


def schema_of(document: Schema, name: str) -> Schema:
    """Return the schema of a task type."""
    schemas = document["components"]["schemas"]
    found: Schema = schemas[schemas["Task"]["discriminator"]["mapping"][name].rpartition("/")[2]]
    return found


def task(name: str, /, **more: object) -> Schema:
    """Return a task that lacks nothing."""
    given = {"inputImages" if name == "photoMaker" else "inputImage": EXAMPLE_IMAGE, "media": EXAMPLE_IMAGE}
    options: Schema = {"upscaleFactor": 2, "preProcessorType": "canny"}
    if name == "accountManagement":
        options["operation"] = "getDetails"
    return {"taskType": name, "taskUUID": new_uuid(), **GOOD, **given, **options, **more}


def refusal(mock: RunningMock, api_key: str, sent: Schema) -> Schema:
    """Return the error of a task that is only checked, or nothing."""
    answer = plain.post(f"{mock.rest_url}?dryRun=1", json=[sent], headers={"Authorization": f"Bearer {api_key}"})
    errors = answer.json().get("errors")
    return errors[0] if errors else {}


def test_every_task_type_has_a_schema_that_is_one(document: Schema) -> None:
    schemas = document["components"]["schemas"]
    assert set(schemas["Task"]["discriminator"]["mapping"]) == {*NAMES, "authentication", "ping"}
    for schema in schemas.values():
        assert jsonschema_rs.meta.is_valid(schema)
    statuses = {row.status for code, row in CATALOGUE.items() if code != "methodNotAllowed"}
    responses = document["paths"]["/v1"]["post"]["responses"]
    assert {int(status) for status in responses} == {200, *statuses}
    # Two rows of the catalogue share a code; it is named once.
    assert responses["400"]["description"].count("invalid{Parameter},") == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_limits_of_every_parameter_are_those_of_the_task(
    mock: RunningMock, document: Schema, api_key: str, name: str
) -> None:
    for field, schema in schema_of(document, name)["properties"].items():
        for limit in LIMITS.keys() & schema.keys():
            bound = schema[limit]
            if limit.endswith("Length") and not 0 < bound < 100_000:
                continue
            on, beyond = bound, bound + LIMITS[limit]
            if limit.endswith("Length"):
                on, beyond = "x" * on, "x" * beyond
            assert "min" not in refusal(mock, api_key, task(name, **{field: on})), (field, limit)
            error = refusal(mock, api_key, task(name, **{field: beyond}))
            assert error["parameter"] == field, (field, limit)
        for word in schema.get("enum", ()):
            sent = task(name, **{field: word})
            assert field == "taskType" or refusal(mock, api_key, sent).get("parameter") != field


def test_every_preprocessor_that_is_drawn_is_documented() -> None:
    assert set(get_args(PreprocessorName)) == set(PREPROCESSORS)


def test_every_kind_of_fault_has_the_example_of_the_table_and_defaults_that_can_be_sent(document: Schema) -> None:
    for kind, model in KINDS.items():
        schema = document["components"]["schemas"][model.__name__]
        (shown,) = schema["examples"]
        fields = [f"{name}={value}" for name, value in shown.items() if name != "kind"]
        assert sorted([kind, *fields]) == sorted(example(kind).split())
        for name, field in schema["properties"].items():
            assert field.keys().isdisjoint({"ge", "le", "gt", "lt"}), (
                f"{kind}.{name}: these are no words of JSON Schema"
            )
            FAULT.validate_python({**shown, **({name: field["default"]} if "default" in field else {})})


@pytest.mark.parametrize(
    ("kind", "name", "least"), [("cut_upload", "after_bytes", 0), ("slow_answer", "bytes_per_s", 1)]
)
def test_the_schema_of_a_number_of_bytes_takes_what_a_fault_takes(
    document: Schema, kind: str, name: str, least: int
) -> None:
    schema = document["components"]["schemas"][KINDS[kind].__name__]["properties"][name]
    for value in ("64KiB", least, 1024, 2**40):
        assert jsonschema_rs.is_valid(schema, value)
        FAULT.validate_python({"kind": kind, name: value})
    for wrong in (least - 1, 2**40 + 1, 1.5, None, True):
        assert not jsonschema_rs.is_valid(schema, wrong)
        with pytest.raises(ValidationError):
            FAULT.validate_python({"kind": kind, name: wrong})
