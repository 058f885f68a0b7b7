"""Bad input gets Runware's envelope and a clear word; the neighbours in the same request still succeed."""

import base64
import json
import socket
import urllib.parse
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests import plain
from tests.control.calling import calling
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import Answer, Talker, new_uuid, talking, talking_ws, upload

pytestmark = pytest.mark.both_transports

UUID_V7 = "019c42a0-c3ff-7138-be83-ee257abc5331"
UUID_V4 = "50836053-a0ee-4cf5-b9d6-ae7c5d140ada"


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        (b"", "invalidJson", "empty"),
        (b"\xef\xbb\xbf", "invalidJson", "empty"),
        (rb'[{"a":"\ud83d"}]', "invalidJson", "surrogate"),
        (b"[" + b"[]," * 1_000_000 + b"1]", "invalidRequest", "1,000,000 values"),
        (b"nonsense", "invalidJson", "malformed"),
        (b'[{"taskType":', "invalidJson", "truncated"),
        (b'["\xff\xfe"]', "invalidJson", "utf-8"),
        (b'[{"a":"\xc3\x28"}]', "invalidJson", "utf-8"),
        (b"[" * 100_000, "invalidJson", "deep"),
        (b'[{"a":' * 50_000 + b"1" + b"}]" * 50_000, "invalidJson", "deep"),
        (b'{"taskType":"imageUpload"}', "invalidRequest", "an object"),
        (b'"imageUpload"', "invalidRequest", "a string"),
        (b"5", "invalidRequest", "a number"),
        (b"null", "invalidRequest", "null"),
        (b"true", "invalidRequest", "a boolean"),
        (b"[]", "invalidRequest", "empty"),
    ],
)
def test_a_body_that_is_no_array_of_tasks_is_refused(talker: Talker, body: bytes, code: str, word: str) -> None:
    answer = talker.send_raw(body)
    assert answer.error["code"] == code
    assert word in answer.error["message"].lower()
    assert answer.status in (400, None)
    assert talker.ask(upload(png())).item


@pytest.mark.parametrize("task", [None, 5, "imageUpload", [], True])
def test_a_task_that_is_no_object_is_refused_alone(talker: Talker, task: object) -> None:
    answer = talker.ask(task, upload(png()))
    assert answer.codes == ["invalidRequest"]
    assert len(answer.data) == 1


@pytest.mark.parametrize("task_type", ["imageUpLoad", "", None, 5, ["imageUpload"], {}, "x" * 10_000])
def test_an_unknown_task_type_is_refused_with_those_that_exist(talker: Talker, task_type: object) -> None:
    answer = talker.ask(upload(png(), taskType=task_type), upload(png()))
    (error,) = answer.errors
    assert error["code"] == "invalidTaskType"
    assert error["parameter"] == "taskType"
    assert "imageUpload" in error["message"]
    assert len(error["message"]) < 500
    assert len(answer.data) == 1


def test_a_missing_task_type_is_refused(talker: Talker) -> None:
    error = talker.ask({"taskUUID": new_uuid(), "image": "x"}).error
    assert (error["code"], "missing" in error["message"]) == ("invalidTaskType", True)


@pytest.mark.parametrize(
    "task_uuid", ["", "x", UUID_V7, None, 5, [], UUID_V4 + "0", "x" * 10_000, "urn:uuid:" + UUID_V4]
)
def test_a_task_uuid_that_is_no_v4_is_refused(talker: Talker, task_uuid: object) -> None:
    answer = talker.ask(upload(png(), taskUUID=task_uuid), upload(png()))
    (error,) = answer.errors
    assert error["code"] == "invalidTaskUUID"
    assert error["parameter"] == "taskUUID"
    assert len(error["message"]) < 500
    assert len(answer.data) == 1


def test_a_missing_task_uuid_is_refused(talker: Talker) -> None:
    task = upload(png())
    del task["taskUUID"]
    error = talker.ask(task).error
    assert (error["code"], "missing" in error["message"]) == ("invalidTaskUUID", True)


def test_any_uuid_will_do_when_the_setting_says_so(transport: str, api_key: str) -> None:
    with running_mock(uuid="any") as mock, talking(mock, transport, api_key) as talker:
        assert talker.ask(upload(png(), taskUUID=UUID_V7)).item["taskUUID"] == UUID_V7
        assert talker.ask(upload(png(), taskUUID="x")).error["code"] == "invalidTaskUUID"


def test_a_task_uuid_twice_in_one_request_is_refused_the_second_time(talker: Talker) -> None:
    first = upload(png())
    answer = talker.ask(first, {**upload(png()), "taskUUID": first["taskUUID"].upper()})
    assert answer.codes == ["conflictTaskUUID"]
    assert len(answer.data) == 1


def test_a_task_uuid_may_be_used_again_after_a_failure(talker: Talker) -> None:
    task = upload("no picture")
    assert talker.ask(task).error["code"] == "invalidImage"
    assert talker.ask({**task, "image": upload(png())["image"]}).item["imageUUID"]


def test_tasks_that_are_written_together_do_not_spoil_one_another(talker: Talker) -> None:
    done = upload(png())
    assert talker.ask(done).item
    good = [upload(png()) for _ in range(5)]
    asked_for = {"taskType": "getResponse", "taskUUID": new_uuid()}
    answer = talker.ask(*good[:2], done, good[2], upload("no picture"), asked_for, *good[3:])
    assert sorted(answer.codes) == ["conflictTaskUUID", "invalidImage", "taskNotFound"]
    assert {item["taskUUID"] for item in answer.data} == {task["taskUUID"] for task in good}
    assert all(talker.ask({**asked_for, "taskUUID": task["taskUUID"]}).item["imageUUID"] for task in good)


def test_two_accounts_may_use_the_same_task_uuid(mock: RunningMock, talker: Talker, api_key: str) -> None:
    task = upload(png())
    assert talker.ask(task).item
    with talking(mock, talker.name, api_key + "-other") as other:
        assert other.ask(task).item
        assert other.ask({"taskType": "getResponse", "taskUUID": new_uuid()}).error["code"] == "taskNotFound"


@pytest.mark.parametrize(
    "image", [None, 5, True, [], {}, "", "   ", "data:image/png;base64,", "data:,", "data:image/png,x"]
)
def test_an_image_of_a_wrong_kind_is_refused(talker: Talker, image: object) -> None:
    answer = talker.ask(upload(image), upload(png()))
    (error,) = answer.errors
    assert error["code"] == ("missingImage" if image is None else "invalidImage")
    assert (error["parameter"], error["type"]) == ("image", "string")
    assert error["documentation"] == "https://runware.ai/docs/platform/image-upload#request-image"
    assert len(answer.data) == 1


def test_a_missing_image_is_refused(talker: Talker) -> None:
    task = upload(png())
    del task["image"]
    assert talker.ask(task).error["code"] == "missingImage"


def test_unknown_fields_are_ignored(talker: Talker) -> None:
    assert talker.ask(upload(png(), includeCost=True, nested={"a": [1, None]})).item["imageUUID"]


def test_a_byte_order_mark_before_the_tasks_is_ignored(talker: Talker) -> None:
    assert talker.send_raw("\ufeff".encode() + json.dumps([upload(png())]).encode()).item["imageUUID"]


@pytest.mark.parametrize("count", [999, 1000])
def test_many_tasks_are_each_answered(talker: Talker, count: int) -> None:
    answer = talker.ask(upload(png()), *({"taskType": "imageUpload", "taskUUID": n} for n in range(count - 1)))
    assert (len(answer.data), len(answer.errors), set(answer.codes)) == (1, count - 1, {"invalidTaskUUID"})


def test_more_tasks_than_the_limit_are_refused_together(talker: Talker) -> None:
    answer = talker.send_raw(json.dumps([upload(png())] * 1001).encode())
    assert answer.error["code"] == "invalidRequest"
    assert "holds 1,001 tasks; the limit is 1,000 (--max-tasks)" in answer.error["message"]


def test_a_hundred_uploads_in_one_request_all_succeed(talker: Talker) -> None:
    tasks = [upload(png()) for _ in range(100)]
    answer = talker.ask(*tasks)
    assert {item["taskUUID"] for item in answer.data} == {task["taskUUID"] for task in tasks}


def test_no_key_is_refused(mock: RunningMock, transport: str) -> None:
    with talking(mock, transport, None) as talker:
        answer = talker.ask(upload(png()))
    assert answer.error["code"] == "missingApiKey"
    assert answer.status in (401, None)


def test_a_key_that_is_not_accepted_is_refused(transport: str, api_key: str) -> None:
    with running_mock(api_key=(api_key,)) as mock:
        with talking(mock, transport, api_key) as talker:
            assert talker.ask(upload(png())).item
        authentication = {"taskType": "authentication", "apiKey": api_key + "x"}
        with talking(mock, transport, None) as talker:
            answer = talker.ask(authentication)
    assert (answer.error["code"], answer.error["taskType"]) == ("invalidApiKey", "authentication")
    assert answer.status in (401, None)


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({}, "any key"),
        ({"Authorization": ""}, "Authorization: Bearer <key>"),
        ({"Authorization": "Bearer"}, "lacks 'Bearer ' or a key"),
        ({"Authorization": "Basic eDp5"}, "lacks 'Bearer '"),
        ({"Authorization": "nonsense"}, "lacks 'Bearer '"),
        ({"X-API-Key": "nonsense"}, "X-API-Key is not read"),
    ],
)
def test_a_request_without_a_key_is_told_how_to_send_one(mock: RunningMock, headers: dict[str, str], word: str) -> None:
    answer = plain.post(mock.rest_url, json=[upload(png())], headers=headers)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (401, "missingApiKey")
    assert word in error["message"]
    assert "nonsense" not in error["message"]


@pytest.mark.parametrize("content_type", ["multipart/form-data", "application/x-www-form-urlencoded", "image/png"])
def test_a_body_of_another_content_type_is_told_of_json(mock: RunningMock, api_key: str, content_type: str) -> None:
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": content_type}
    (error,) = plain.post(mock.rest_url, content=b"image=x", headers=headers).json()["errors"]
    assert error["code"] == "invalidJson"
    assert (
        f"Its Content-Type is {content_type.partition(';')[0]}; send the tasks as application/json" in error["message"]
    )


@pytest.mark.parametrize(
    ("task", "hint"),
    [
        ({"taskType": "ImageUpload"}, "Did you mean imageUpload?"),
        ({"taskType": "image_upload"}, "Did you mean imageUpload?"),
        ({"task_type": "imageUpload"}, "The task has 'task_type' instead; did you mean 'taskType'?"),
        ({"taskType": "imageUpload", "inputImage": "x"}, "The task has 'inputImage' instead; did you mean 'image'?"),
        ({"taskType": "imageUpload", "image_url": "x"}, "The task has 'image_url' instead; did you mean 'image'?"),
        (
            {"taskType": "imageInference", "model": "x:1@1", "width": 64, "heigth": 64, "positivePrompt": "a fox"},
            "The task has 'heigth' instead; did you mean 'height'?",
        ),
    ],
)
def test_a_name_that_is_nearly_right_is_told_so(talker: Talker, task: dict[str, object], hint: str) -> None:
    assert hint in talker.ask({"taskUUID": new_uuid(), **task}).error["message"]


@pytest.mark.parametrize(("plain_text", "spelled"), [("/", r"\/"), ("=", r"\u003d"), ("k", r"\u006B")])
def test_the_senders_own_key_is_taken_out_however_json_spells_it(
    mock: RunningMock, api_key: str, plain_text: str, spelled: str
) -> None:
    key = f"{api_key}/k="
    body = json.dumps([upload(png(), note="a KEY")]).replace("KEY", key.replace(plain_text, spelled))
    answer = plain.post(mock.rest_url, content=body.encode(), headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["data"]
    with calling(mock, key) as control:
        (entry,) = control.get("/journal")["entries"]
    assert entry["task"]["note"].startswith("a tes")
    assert key not in json.dumps(entry)


def test_a_percent_encoded_data_uri_is_read(talker: Talker) -> None:
    data = png()
    assert talker.ask(upload("data:image/png," + urllib.parse.quote(data))).item["imageUUID"]
    base64_text = urllib.parse.quote(base64.b64encode(data).decode(), safe="")
    assert talker.ask(upload("data:image/png;base64," + base64_text)).item["imageUUID"]


def test_a_frame_of_invalid_utf_8_closes_with_1007_as_the_standard_wants(mock: RunningMock, api_key: str) -> None:
    with talking_ws(mock, api_key) as talker:
        talker.socket.send(b'["\xff"]', text=True)
        with pytest.raises(ConnectionClosed) as closed:
            talker.socket.recv(10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007


LIMIT_BYTES = 4096


@pytest.mark.parametrize(("over_bytes", "is_taken"), [(-1, True), (0, True), (1, False)])
def test_the_message_limit_holds_to_the_byte(transport: str, api_key: str, over_bytes: int, *, is_taken: bool) -> None:
    task = upload(png())
    padding = LIMIT_BYTES + over_bytes - len(json.dumps([{**task, "pad": ""}]))
    body = json.dumps([{**task, "pad": "x" * padding}]).encode()
    assert len(body) == LIMIT_BYTES + over_bytes
    with running_mock(max_message_bytes=LIMIT_BYTES) as mock, talking(mock, transport, api_key) as talker:
        if is_taken:
            assert talker.send_raw(body).item["imageUUID"]
        elif transport == "rest":
            answer = talker.send_raw(body)
            assert (answer.status, answer.error["code"]) == (413, "requestTooLarge")
            assert str(LIMIT_BYTES) in answer.error["message"]
        else:
            with pytest.raises(ConnectionClosed) as closed:
                talker.send_raw(body)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009
            assert str(LIMIT_BYTES) in closed.value.rcvd.reason


def test_a_chunked_body_over_the_limit_is_refused(api_key: str) -> None:
    with running_mock(max_message_bytes=LIMIT_BYTES) as mock:
        chunks = iter([b"[" + b" " * LIMIT_BYTES, b"]"])
        answer = plain.post(mock.rest_url, content=chunks, headers={"Authorization": f"Bearer {api_key}"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "requestTooLarge")


def test_a_client_that_vanishes_in_the_middle_of_a_body_leaves_nothing(mock: RunningMock, api_key: str) -> None:
    port = urllib.parse.urlsplit(mock.url).port or 0
    body = json.dumps([upload(png())]).encode()
    for sent_bytes in (0, 1, len(body) // 2, len(body) - 1):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            head = f"POST /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            raw.sendall(f"{head}Authorization: Bearer {api_key}\r\n\r\n".encode() + body[:sent_bytes])
    with talking(mock, "rest", api_key) as talker:
        assert talker.send_raw(body).item["imageUUID"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1", 405, "methodNotAllowed"),
        ("PUT", "/v1", 405, "methodNotAllowed"),
        ("DELETE", "/", 405, "methodNotAllowed"),
        ("GET", "/v2", 404, "notFound"),
        ("POST", "/v1/images", 404, "notFound"),
        ("GET", "/image/ii/nonsense.png", 404, "mediaNotFound"),
        ("GET", f"/image/ii/{UUID_V7}.png", 404, "mediaNotFound"),
        ("POST", f"/image/ii/{UUID_V7}.png", 405, "methodNotAllowed"),
    ],
)
def test_other_paths_and_methods_are_refused_in_the_same_envelope(
    mock: RunningMock, method: str, path: str, status: int, code: str
) -> None:
    answer = plain.request(method, mock.url + path)
    envelope: dict[str, Any] = answer.json()
    assert (answer.status_code, envelope["data"], envelope["errors"][0]["code"]) == (status, [], code)
    assert answer.headers["X-Runware-Mock"]


def test_every_refusal_is_an_envelope_of_known_fields(talker: Talker) -> None:
    known = {"code", "message", "parameter", "type", "documentation", "taskType", "taskUUID"}
    answer: Answer = talker.ask(None, {}, upload(None), upload("x"), upload(png(), taskUUID="x"), upload("ftp://x/y"))
    assert len(answer.errors) == 6
    for error in answer.errors:
        assert set(error) <= known
        assert all(isinstance(value, str) and value for value in error.values())
