"""The rules that the real SDKs impose, one test each, numbered as in FIDELITY.md."""

import json
import re
import socket
import urllib.parse
import uuid
from io import BytesIO

import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from runware_mock.protocol.messages import Reply, rest_body, ws_frame
from tests import plain
from tests.control.calling import calling
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import Talker, data_uri, new_uuid, talking, talking_ws, upload

pytestmark = pytest.mark.both_transports

PING = {"taskType": "ping", "ping": True}


def test_rule_01_data_is_always_an_array(talker: Talker) -> None:
    assert talker.ask(upload(png())).data != []
    assert isinstance(talker.ask(upload(png())).data, list)


def test_rule_01_data_is_an_array_for_authentication_and_pong(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, api_key) as talker:
        assert isinstance(talker.authenticated["data"], list)
        assert isinstance(talker.ask(PING).data, list)


def test_rule_02_every_item_carries_task_type_and_task_uuid(talker: Talker) -> None:
    tasks = [upload(png()) for _ in range(3)]
    answer = talker.ask(*tasks)
    assert {item["taskUUID"] for item in answer.data} == {task["taskUUID"] for task in tasks}
    assert {item["taskType"] for item in answer.data} == {"imageUpload"}


def test_rule_03_errors_is_never_empty() -> None:
    ok = Reply(items=({"taskType": "imageUpload"},))
    assert b"errors" not in rest_body([ok])[1]
    assert "errors" not in ws_frame(ok)


def test_rule_04_data_and_errors_are_never_in_one_frame(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, api_key) as talker:
        # Each frame is checked as it comes in.
        answer = talker.ask(upload(png()), upload("no picture"), upload("nor this"))
    assert (len(answer.data), len(answer.errors)) == (1, 2)


def test_rule_06_an_answer_frame_stays_under_a_mebibyte(mock: RunningMock, api_key: str) -> None:
    picture = BytesIO()
    Image.effect_noise((1500, 1500), 90).save(picture, "PNG")
    assert len(picture.getvalue()) > 2**20
    with connect(mock.ws_url, max_size=2**20) as websocket:
        websocket.send(json.dumps([{"taskType": "authentication", "apiKey": api_key}]))
        websocket.recv()
        websocket.send(json.dumps([upload(picture.getvalue())]))
        assert "imageURL" in str(websocket.recv())


def test_rule_07_any_session_uuid_is_accepted(mock: RunningMock, api_key: str) -> None:
    invented = new_uuid()
    with talking_ws(mock, None) as talker:
        request = {"apiKey": api_key, "taskType": "authentication", "connectionSessionUUID": invented}
        assert talker.ask(request).item["connectionSessionUUID"] == invented


def test_rule_08_authentication_is_answered_first_with_a_session_uuid(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, api_key) as talker:
        (item,) = talker.authenticated["data"]
    assert item["taskType"] == "authentication"
    assert uuid.UUID(item["connectionSessionUUID"])


def test_rule_09_authentication_has_no_task_uuid_even_when_it_was_sent_one(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, None) as talker:
        request = {"taskType": "authentication", "taskUUID": new_uuid()}
        assert "taskUUID" not in talker.ask({**request, "apiKey": api_key}).item
        assert "taskUUID" not in talker.ask({**request, "apiKey": 5}).error


def test_rule_10_a_ping_sent_with_the_authentication_is_answered_after_it(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, None) as talker:
        talker.socket.send(json.dumps([{"taskType": "authentication", "apiKey": api_key}]))
        talker.socket.send(json.dumps([PING]))
        frames = [talker.frame()["data"][0]["taskType"] for _ in range(2)]
    assert frames == ["authentication", "ping"]


def test_rule_10_a_ping_before_authentication_is_answered(mock: RunningMock) -> None:
    with talking_ws(mock, None) as talker:
        assert talker.ask(PING).item == {"taskType": "ping", "pong": True}


def test_rule_11_a_bad_key_is_told_in_both_spellings_and_the_socket_stays_open(api_key: str) -> None:
    with running_mock(api_key=(api_key,)) as mock, talking_ws(mock, "a key that nobody accepts") as talker:
        (error,) = talker.authenticated["errors"]
        assert talker.authenticated["error"] == error
        assert error == {
            "code": "invalidApiKey",
            "message": "Invalid API key. Get one at https://my.runware.ai/signup",
            "parameter": "apiKey",
            "type": "string",
            "taskType": "authentication",
        }
        assert talker.ask({"taskType": "authentication", "apiKey": api_key}).item["connectionSessionUUID"]


@pytest.mark.parametrize("key", [None, "", 5, {}])
def test_rule_12_a_key_of_no_use_gets_a_frame_not_a_close(mock: RunningMock, key: object) -> None:
    with talking_ws(mock, None) as talker:
        assert talker.ask({"taskType": "authentication", "apiKey": key}).error["taskType"] == "authentication"
        assert talker.ask(PING).item["pong"] is True


def test_rule_13_thirty_sockets_of_one_key_are_served(mock: RunningMock, api_key: str) -> None:
    sockets = [talking_ws(mock, api_key) for _ in range(30)]
    talkers = [opened.__enter__() for opened in sockets]
    assert len({talker.ask(upload(png())).item["imageUUID"] for talker in talkers}) == 30
    for opened in sockets:
        opened.__exit__(None, None, None)


def test_rule_14_a_ping_gets_exactly_a_pong(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, api_key) as talker:
        talker.socket.send(json.dumps([PING]))
        assert talker.frame() == {"data": [{"taskType": "ping", "pong": True}]}


def test_rule_15_protocol_pings_are_answered(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, api_key) as talker:
        assert talker.socket.ping().wait(10)


def test_rule_16_an_upload_has_image_uuid_and_image_url(talker: Talker) -> None:
    item = talker.ask(upload(png())).item
    assert set(item) == {"taskType", "taskUUID", "imageUUID", "imageURL"}
    assert uuid.UUID(item["imageUUID"]).version == 4
    assert item["imageUUID"] in item["imageURL"]
    assert item["imageUUID"] != item["taskUUID"]


@pytest.mark.parametrize("label", ["application/octet-stream", "image/jpeg", "text/plain", "", "image/png;name=a"])
def test_rule_18_the_label_of_a_data_uri_is_ignored(talker: Talker, label: str) -> None:
    item = talker.ask(upload(data_uri(png(), label))).item
    assert item["imageURL"].endswith(".png")


def test_rule_20_a_message_of_19_mb_is_taken_and_compression_is_not_offered(talker: Talker, mock: RunningMock) -> None:
    picture = BytesIO()
    Image.effect_noise((2048, 1720), 100).convert("RGBA").save(picture, "BMP")
    assert len(picture.getvalue()) * 4 / 3 > 18_000_000
    assert talker.ask(upload(picture.getvalue())).item
    with connect(mock.ws_url, compression="deflate") as websocket:
        assert websocket.response is not None
        assert "Sec-WebSocket-Extensions" not in websocket.response.headers


def test_rule_21_an_image_url_is_served_without_a_key_and_may_be_uploaded_again(talker: Talker) -> None:
    picture = png()
    url = talker.ask(upload(picture)).item["imageURL"]
    assert plain.get(url).content == picture
    assert talker.ask(upload(url)).item["imageURL"] != url


def test_rule_25_an_error_carries_the_task_it_belongs_to(talker: Talker) -> None:
    task = upload("no picture")
    error = talker.ask(task).error
    assert error["taskUUID"] == task["taskUUID"]
    assert error["taskType"] == "imageUpload"
    assert {"code", "message", "parameter", "type"} <= set(error)


def test_rule_26_a_request_in_which_all_failed_is_no_200(mock: RunningMock, api_key: str) -> None:
    with talking(mock, "rest", api_key) as talker:
        assert talker.ask(upload("no picture"), upload("nor this")).status == 400
        assert talker.ask(upload("no picture"), upload(png())).status == 200
    with talking(mock, "rest", None) as talker:
        assert talker.ask(upload(png())).status == 401


def test_rule_27_no_error_of_a_task_is_labelled_as_authentication(mock: RunningMock) -> None:
    task = upload(png())
    with talking_ws(mock, None) as talker:
        error = talker.ask(task).error
    assert (error["code"], error["taskType"], error["taskUUID"]) == ("missingApiKey", "imageUpload", task["taskUUID"])


def test_rule_27_a_success_has_no_key_that_looks_like_a_failure(talker: Talker) -> None:
    assert not {"code", "error", "errorId"} & set(talker.ask(upload(png())).item)


def test_rule_28_a_repeated_task_conflicts_and_get_response_has_its_result(talker: Talker) -> None:
    task = upload(png())
    first = talker.ask(task).item
    assert talker.ask(task).error["code"] == "conflictTaskUUID"
    later = talker.ask({"taskType": "getResponse", "taskUUID": task["taskUUID"]}).item
    assert {**later, **first} == later
    assert later["status"] == "success"


def test_a_task_uuid_is_the_same_in_upper_case_and_is_told_as_it_was_sent(
    mock: RunningMock, talker: Talker, api_key: str
) -> None:
    task = upload(png())
    task["taskUUID"] = task["taskUUID"].upper()
    first = talker.ask(task).item
    assert first["taskUUID"] == task["taskUUID"]
    in_lower_case = task["taskUUID"].lower()
    assert talker.ask({**task, "taskUUID": in_lower_case}).error["code"] == "conflictTaskUUID"
    later = talker.ask({"taskType": "getResponse", "taskUUID": in_lower_case}).item
    assert later["imageUUID"] == first["imageUUID"]
    with calling(mock, api_key) as control:
        entries = control.get("/journal", task_uuid=in_lower_case)["entries"]
        assert [entry["task_uuid"] for entry in entries] == [in_lower_case, task["taskUUID"]]


def test_rule_29_a_stopping_server_closes_with_1012(api_key: str) -> None:
    with running_mock() as mock, talking_ws(mock, api_key) as talker:
        mock.server.should_exit = True
        with pytest.raises(ConnectionClosed) as closed:
            talker.socket.recv(30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


def test_rule_32_an_idle_connection_is_kept_for_a_minute(mock: RunningMock) -> None:
    assert mock.server.config.timeout_keep_alive >= 60


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/", "/v1?sdk=js&version=1.3.2", "/?sdk=js"])
def test_rule_33_every_path_of_the_sdks_is_served(mock: RunningMock, api_key: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {api_key}"}
    assert plain.post(mock.url + path, json=[upload(png())], headers=headers).json()["data"]
    with connect(f"ws{mock.url.removeprefix('http')}{path}") as websocket:
        websocket.send(json.dumps([PING]))
        assert "pong" in str(websocket.recv())


def test_rule_34_a_key_may_come_in_an_authentication_task_without_a_header(mock: RunningMock, api_key: str) -> None:
    with talking(mock, "rest", None) as talker:
        authentication = {"taskType": "authentication", "apiKey": api_key}
        assert talker.ask(authentication).item["connectionSessionUUID"]
        # Many clients read data[0].imageUUID straight away, so it is not echoed before other answers.
        assert talker.ask(authentication, upload(png())).data[0]["imageUUID"]


def test_an_address_in_an_answer_is_the_one_the_client_used(mock: RunningMock, api_key: str) -> None:
    port = urllib.parse.urlsplit(mock.url).port
    task = json.dumps([upload(png())]).encode()
    with socket.create_connection(("127.0.0.1", port or 0)) as raw:
        raw.sendall(
            f"POST /v1 HTTP/1.1\r\nHost: mock.test:81\r\nAuthorization: Bearer {api_key}\r\n"
            f"Connection: close\r\nContent-Length: {len(task)}\r\n\r\n".encode()
            + task
        )
        answer = raw.makefile("rb").read().decode()
    assert re.search(r'"imageURL":"http://mock\.test:81/image/ii/[0-9a-f-]{36}\.png"', answer)
