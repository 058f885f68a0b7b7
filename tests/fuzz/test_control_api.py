"""Whatever the control API is asked, it does or refuses as its own document says, and what it holds stays whole."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import strategies as st
from schemathesis import CheckContext, Response

from runware_mock import answer_models, client
from runware_mock import control_models as models
from tests import plain
from tests.fuzz.consistency import assert_consistent
from tests.fuzz.operations import Case, hold, operations
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import talking, upload

EXAMPLES = 8
KEYS = ["fuzz-key-one-0123456789abcdef0123", "fuzz-key-two-0123456789abcdef0123"]
NAMES = ["one", "two", "the third"]

# What ControlClient makes of an answer of 2xx; of a DELETE it is always Deleted.
SHAPES: Mapping[str, type[models.Answer]] = {
    "GET /_mock/status": models.Status,
    "GET /_mock/accounts": models.Accounts,
    "GET /_mock/clock": models.Clock,
    "POST /_mock/clock/freeze": models.Clock,
    "POST /_mock/clock/resume": models.Clock,
    "POST /_mock/clock/reset": models.Clock,
    "POST /_mock/clock/set": models.Moved,
    "POST /_mock/clock/advance": models.Moved,
    "GET /_mock/media": models.Media,
    "POST /_mock/media": models.Medium,
    "GET /_mock/media/{uuid}": models.Medium,
    "POST /_mock/media/{uuid}/expire": models.Medium,
    "GET /_mock/forecast": models.Forecast,
    "POST /_mock/purge": models.Purged,
    "GET /_mock/journal": models.Entries,
    "GET /_mock/journal/count": models.Count,
    "GET /_mock/journal/wait": models.Waited,
    "GET /_mock/journal/{id}": models.Entry,
    "GET /_mock/webhooks": models.Entries,
    "POST /_mock/webhooks/{id}/resend": models.Queued,
    "POST /_mock/reset": models.Reset,
    "GET /_mock/snapshots": models.Snapshots,
    "POST /_mock/snapshots/{name}": models.Snapshot,
    "POST /_mock/snapshots/{name}/restore": models.Snapshot,
    "POST /_mock/import": models.Loaded,
    "POST /_mock/faults": models.PlanState,
    "GET /_mock/faults": models.Plans,
    "GET /_mock/faults/{name}": models.PlanState,
    "POST /_mock/answers": answer_models.RuleState,
    "GET /_mock/answers": answer_models.Rules,
    "GET /_mock/answers/{name}": answer_models.RuleState,
}
FILES = ("GET /_mock/export", "GET /_mock/export/fixtures")


def readable(_context: CheckContext, response: Response, case: Case) -> None:
    """Check that the client can read the answer."""
    label = case.operation.label
    if 200 <= response.status_code < 300 and label not in FILES:
        SHAPES.get(label, models.Deleted).model_validate_json(response.content)


def headers() -> st.SearchStrategy[Mapping[str, str]]:
    """Speak for one account, for another, or for all."""
    return st.sampled_from([*({"Authorization": f"Bearer {key}"} for key in KEYS), {}])


def test_every_control_call_is_answered_as_documented(
    subtests: pytest.Subtests, caplog: pytest.LogCaptureFixture
) -> None:
    with running_mock() as mock:
        known = filled(mock)
        for operation in operations(document_of(mock), mock.url):
            with subtests.test(operation.label):
                hold(operation, EXAMPLES, headers(), known.steer, readable)
        assert [record.getMessage() for record in caplog.records if record.levelname != "INFO"] == []
        assert plain.get(f"{mock.url}/ready").json()["status"] == "ready"
        assert_consistent(mock)
        with client.ControlClient(mock.url) as control, talking(mock, "rest", KEYS[0]) as talker:
            control.faults.delete()
            control.reset()
            assert talker.ask(upload(png())).item


class Known:
    """What is there, so that not every name drawn is one of nothing."""

    def __init__(self, values: Mapping[str, list[object]], bodies: Mapping[str, list[bytes]]) -> None:
        self._values = values
        self._bodies = bodies

    def steer(self, data: st.DataObject, case: Case) -> None:
        """Let half of the cases name what is there, and none wait long."""
        for name in case.path_parameters:
            if data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(self._values[name]))
        if case.operation.label == "GET /_mock/journal/wait":
            case.query["timeout"] = data.draw(st.sampled_from(["0s", "10ms", "soon"]))
        if bodies := self._bodies.get(case.operation.label):
            body = data.draw(st.sampled_from(bodies))
            cut = data.draw(st.integers(0, len(body)) | st.just(len(body)))
            case.body = body[:cut]


def filled(mock: RunningMock) -> Known:
    """Give two accounts media, a journal, snapshots and plans that are met only by name; return what there is."""
    uuids: list[object] = []
    archives = []
    for key in KEYS:
        with talking(mock, "rest", key) as talker, client.ControlClient(mock.url, key) as control:
            uuids += [item["imageUUID"] for item in talker.ask(*(upload(png()) for _ in range(3)), {}).data]
            for name in NAMES:
                control.snapshots.save(name)
                control.faults.plan(client.Fault("latency"), name=name, by_name_only=True)
            archives.append(control.export())
    return Known(
        {"uuid": uuids, "name": list(NAMES), "id": list(range(1, 9))},
        {"POST /_mock/media": [png(), b"no picture"], "POST /_mock/import": archives},
    )


def document_of(mock: RunningMock) -> Mapping[str, Any]:
    """Fetch the document of the control API."""
    document: dict[str, Any] = plain.get(f"{mock.url}/openapi.json").json()
    return {**document, "paths": {path: one for path, one in document["paths"].items() if path.startswith("/_mock/")}}


def test_every_control_call_has_a_shape_for_the_client(mock: RunningMock) -> None:
    labels = {one.label for one in operations(document_of(mock), mock.url)}
    assert {label for label in labels if not label.startswith("DELETE ")} == SHAPES.keys() | set(FILES)
