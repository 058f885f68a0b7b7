"""Numbers and instants at the edge of what can be stored or written down."""

import logging
import sqlite3
from pathlib import Path

import pytest

from runware_mock.storage.sqlite import FILE_NAME
from tests import plain
from tests.control.calling import Calls, calling
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import Talker, upload

LAST_INSTANT = "9799-12-31T23:59:59.999Z"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/journal?before={}", "before"),
        ("/journal?since={}", "since"),
        ("/journal/count?since={}", "since"),
        ("/journal/{}", "id"),
        ("/media?before={}", "before"),
        ("/clock?account={}", "account"),
    ],
)
def test_a_number_that_no_id_can_have_is_refused(control: Calls, path: str, field: str) -> None:
    assert control.client.get(path.format(2**63 - 1)).status_code in (200, 404)
    for number in (2**63, 10**30, -1):
        status, error = control.refused("GET", path.format(number))
        assert (status, error["field"], error["code"]) == (400, field, "badField")


def test_an_instant_of_very_many_digits_is_refused(control: Calls) -> None:
    status, error = control.refused("GET", "/forecast", params={"at": "9" * 5000})
    assert (status, error["field"]) == (400, "at")


def test_what_is_stored_at_the_last_instant_can_be_shown(talker: Talker, control: Calls) -> None:
    control.post("/clock/freeze")
    assert control.post("/clock/set", at=LAST_INSTANT)["clock"]["now_at"] == LAST_INSTANT
    assert control.refused("POST", "/clock/advance", json={"by": "1ms"})[1]["field"] == "by"
    uuid = talker.ask(upload(png())).item["imageUUID"]
    assert control.get(f"/media/{uuid}")["expires_at"].startswith("9800-01-30")
    assert control.get("/forecast", at=LAST_INSTANT)["media"][0]["time_left"] == "30d"


def test_the_clock_of_all_accounts_takes_none_beyond_the_last_instant(api_key: str) -> None:
    with running_mock() as mock, calling(mock, api_key) as own, calling(mock, None) as everyone:
        own.post("/clock/set", at=LAST_INSTANT)
        assert everyone.refused("POST", "/clock/advance", json={"by": "1ms"})[1]["field"] == "by"
        assert everyone.get("/accounts")["accounts"][0]["now_at"] == LAST_INSTANT


def test_a_control_call_that_breaks_the_mock_is_told_apart_from_a_refusal(
    tmp_path: Path, api_key: str, caplog: pytest.LogCaptureFixture
) -> None:
    with running_mock(data_dir=tmp_path, purge_every="365d") as mock, calling(mock, api_key) as control:
        control.get("/clock")
        with sqlite3.connect(tmp_path / FILE_NAME) as connection:
            connection.execute("ALTER TABLE snapshot RENAME TO lost")
        with caplog.at_level(logging.ERROR):
            status, error = control.refused("GET", "/snapshots")
        assert (status, error["code"], error["field"]) == (500, "crash", None)
        assert [record.getMessage() for record in caplog.records] == ["GET /_mock/snapshots failed inside the mock"]
        # The connection is still good.
        assert control.get("/media")["media"] == []


def test_the_document_tells_of_refusals_and_bodies(mock: RunningMock) -> None:
    paths = plain.get(f"{mock.url}/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            if path.startswith("/_mock/"):
                assert {"4XX", "500"} < set(operation["responses"])
                answers = [one for status, one in operation["responses"].items() if status.startswith("2")]
                (content,) = answers[0]["content"].values()
                assert content["schema"], "every answer has a type"
            assert "422" not in operation["responses"]
    for path in ("/_mock/media", "/_mock/import"):
        assert "application/octet-stream" in paths[path]["post"]["requestBody"]["content"]
    fault = paths["/_mock/faults"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert fault == {"$ref": "#/components/schemas/Plan"}
