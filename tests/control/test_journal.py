"""The journal: what was asked and answered, found again, waited for, explained, and kept within bounds."""

import hashlib
import threading
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from runware_mock.storage.journal import JournalEntry
from runware_mock.storage.models import journal
from tests import plain
from tests.control.calling import Calls, calling
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.stores import Store
from tests.talking import Talker, data_uri, new_uuid, talking, upload

pytestmark = pytest.mark.both_databases

KEY, OTHER_KEY = "a-key-that-asks-for-little-00000", "a-key-that-asks-without-end-0000"


def entries(control: Calls, **chosen: str | int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = control.get("/journal", **chosen)["entries"]
    return found


def test_an_entry_tells_who_asked_for_what_and_what_was_answered(talker: Talker, control: Calls) -> None:
    task = upload(png())
    item = talker.ask(task).item
    (entry,) = entries(control)
    assert (entry["transport"], entry["task_type"], entry["outcome"]) == (talker.name, "imageUpload", "success")
    assert entry["task_uuid"] == task["taskUUID"]
    assert entry["answer"] == [item]
    assert entry["client"].startswith("python-httpx/" if talker.name == "rest" else "Python/")
    assert entry["at"] == "2026-01-01T00:00:00.000Z"
    assert 0 < entry["duration_ms"] < 60_000
    assert (entry["faults"], entry["explanation"]) == ([], None)
    assert control.get(f"/journal/{entry['id']}") == entry


@pytest.mark.parametrize("headers", [{"X-SDK-Name": "python", "X-SDK-Version": "0.5.24"}])
def test_an_entry_names_the_sdk_and_its_version(
    mock: RunningMock, api_key: str, control: Calls, headers: dict[str, str]
) -> None:
    body = [upload(png())]
    plain.post(mock.rest_url, json=body, headers={"Authorization": f"Bearer {api_key}", **headers})
    assert entries(control)[0]["client"] == "python/0.5.24"


def test_a_long_value_is_kept_as_its_head_its_length_and_its_digest(talker: Talker, control: Calls) -> None:
    prompt = "a cat " * 500
    task = {"taskType": "imageInference", "taskUUID": new_uuid(), "positivePrompt": prompt, "model": "civitai"}
    assert talker.ask(task).errors
    kept = entries(control)[0]["task"]["positivePrompt"]
    assert kept == {"head": prompt[:64], "chars": 3000, "sha256": hashlib.sha256(prompt.encode()).hexdigest()}


def test_the_audit_of_an_upload_tells_what_became_of_it(talker: Talker, control: Calls) -> None:
    out = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (3000, 2000), "teal").save(out, "JPEG", exif=exif)
    picture = out.getvalue()
    assert talker.ask(upload(data_uri(picture, "image/png"))).item
    audit = entries(control)[0]["audit"]
    assert (audit["declared"], audit["format"], audit["frames"]) == ("image/png", "jpeg", 1)
    assert audit["sent"]["sha256"] == hashlib.sha256(picture).hexdigest()
    assert (audit["sent"]["width_px"], audit["sent"]["height_px"], audit["sent"]["orientation"]) == (3000, 2000, 6)
    assert (audit["stored"]["width_px"], audit["stored"]["height_px"]) == (1365, 2048)
    assert (
        audit["rule"] == "Over 2048 px: downsized from 3000x2000 to 1365x2048, turned as its EXIF orientation 6 says."
    )


def test_the_audit_of_a_small_picture_says_that_it_is_stored_as_it_is(talker: Talker, control: Calls) -> None:
    assert talker.ask(upload(png())).item
    assert entries(control)[0]["audit"]["rule"] == "Within 2048 px: stored byte for byte."


REFUSALS = [
    ({"image": "/home/me/cat.png"}, "image", "see your disk"),
    ({"image": "ftp://example.com/cat.png"}, "image", "https://example.com/cat.png"),
    ({"image": None}, "image", "base64"),
    ({"taskUUID": "1"}, "taskUUID", "-4"),
    ({"taskType": "imageUplaod"}, "taskType", "imageUpload"),
    (
        {
            "taskType": "imageInference",
            "positivePrompt": "a cat",
            "model": "runware:101@1",
            "width": 100,
            "height": 512,
        },
        "w",
        "128",
    ),
]


@pytest.mark.parametrize(("fields", "parameter", "nearest"), REFUSALS)
def test_a_refused_task_explains_itself(
    talker: Talker, control: Calls, fields: dict[str, object], parameter: str, nearest: str
) -> None:
    assert talker.ask({**upload("cat.png"), **fields}).errors
    (entry,) = entries(control, outcome="error")
    explanation = entry["explanation"]
    assert entry["answer"][0]["parameter"].startswith(parameter)
    assert nearest in explanation["nearest_valid"]
    assert explanation["rule"].endswith(".")
    assert explanation["sentence"].endswith(".")


def test_entries_are_found_by_each_filter(talker: Talker, control: Calls) -> None:
    picture = png()
    task = upload(picture)
    assert talker.ask(task).item
    assert talker.ask(upload("no picture")).errors
    assert talker.ask({"taskType": "promptEnhance", "taskUUID": new_uuid(), "prompt": "a lighthouse"}).item
    digest = hashlib.sha256(picture).hexdigest()
    found = {
        "task_type": ("imageUpload", 2),
        "task_uuid": (task["taskUUID"].upper(), 1),
        "outcome": ("error", 1),
        "transport": (talker.name, 3),
        "code": ("invalidImage", 1),
        "sha256": (digest, 1),
        "text": ("LightHouse", 1),
    }
    for name, (value, count) in found.items():
        assert control.get("/journal/count", **{name: value}) == {"count": count}, name
    assert len(entries(control, limit=2)) == 2
    newest, middle, oldest = (entry["id"] for entry in entries(control))
    assert [entry["id"] for entry in entries(control, since=middle)] == [newest]
    assert [entry["id"] for entry in entries(control, before=middle)] == [oldest]
    assert control.get("/journal", limit=2)["next_before"] == middle


def test_an_account_sees_its_own_entries_only(mock: RunningMock, talker: Talker, control: Calls) -> None:
    assert talker.ask(upload(png())).item
    (entry,) = entries(control)
    with calling(mock, "another-" + new_uuid()) as other:
        assert entries(other) == []
        assert other.refused("GET", f"/journal/{entry['id']}")[0] == 404
        assert other.delete("/journal") == {"deleted": 0}
    assert control.delete("/journal") == {"deleted": 1}
    assert entries(control) == []


def test_waiting_ends_when_so_many_entries_are_there(mock: RunningMock, api_key: str, control: Calls) -> None:
    def send() -> None:
        with talking(mock, "ws", api_key) as talker:
            for _ in range(3):
                assert talker.ask(upload(png())).item

    sender = threading.Thread(target=send)
    sender.start()
    found = control.get("/journal/wait", count=3, timeout="30s", task_type="imageUpload")
    sender.join()
    assert (found["count"], len(found["entries"])) == (3, 3)


def test_waiting_in_vain_tells_how_many_there_were(talker: Talker, control: Calls) -> None:
    assert talker.ask(upload(png())).item
    status, error = control.refused("GET", "/journal/wait", params={"count": 2, "timeout": "50ms"})
    assert (status, error["field"], error["code"]) == (408, "count", "timeout")
    assert "1 entries" in error["message"]


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("/journal", {"outcome": "good"}, "outcome"),
        ("/journal", {"limit": 0}, "limit"),
        ("/journal", {"limit": 1001}, "limit"),
        ("/journal", {"since": "x"}, "since"),
        ("/journal/wait", {"timeout": "soon"}, "timeout"),
        ("/journal/wait", {"count": 0}, "count"),
        ("/journal/x", {}, "id"),
    ],
)
def test_a_bad_filter_is_refused_by_name(control: Calls, path: str, params: dict[str, Any], field: str) -> None:
    status, error = control.refused("GET", path, params=params)
    assert (status, error["field"]) == (400, field)


def test_the_journal_keeps_so_many_entries(store: Store, transport: str, api_key: str) -> None:
    with (
        running_mock(**store.settings, journal_entries=32) as mock,
        talking(mock, transport, api_key) as talker,
        calling(mock, api_key) as control,
    ):
        asked = [talker.ask(upload(png())).item["taskUUID"] for _ in range(40)]
        kept = [entry["task_uuid"] for entry in entries(control)]
    # It is cut every time a sixteenth of it is new.
    assert 32 <= len(kept) <= 34
    assert kept == asked[: -len(kept) - 1 : -1]


def test_the_journal_keeps_so_many_entries_whichever_server_writes_them(store: Store, api_key: str) -> None:
    with (
        running_mock(**store.settings, journal_entries=160) as one,
        running_mock(**store.settings, journal_entries=160) as other,
        talking(one, "rest", api_key) as often,
        talking(other, "rest", api_key) as seldom,
        calling(one, api_key) as control,
    ):
        for number in range(300):
            talker = often if number % 8 else seldom
            assert talker.ask({"taskType": "promptEnhance", "taskUUID": new_uuid(), "prompt": "a cat"}).item
            # Each server may have added a sixteenth since it has cut the journal.
            assert number < 160 or control.get("/journal/count")["count"] <= 160 + 2 * 11


def test_the_journal_keeps_so_many_bytes(store: Store, transport: str, api_key: str) -> None:
    with (
        running_mock(**store.settings, journal_bytes="64KiB") as mock,
        talking(mock, transport, api_key) as talker,
        calling(mock, api_key) as control,
    ):
        for _ in range(20):
            fields = {f"extra{number}": "x" * 500 for number in range(20)}
            assert talker.ask(upload(png(), **fields)).item
        kept = len(entries(control))
    assert 4 <= kept <= 7


def ask_for_nothing(talker: Talker) -> str:
    """Let the journal get an entry; return its taskUUID."""
    uuid: str = talker.ask({"taskType": "promptEnhance", "taskUUID": new_uuid(), "prompt": "a cat"}).item["taskUUID"]
    return uuid


@pytest.mark.parametrize("own", [15, 16, 17], ids=["one below its share", "its share", "one above it"])
def test_a_full_journal_keeps_each_accounts_share_whoever_fills_it(store: Store, own: int) -> None:
    with (
        running_mock(**store.settings, journal_entries=32) as mock,
        talking(mock, "rest", KEY) as quiet,
        talking(mock, "rest", OTHER_KEY) as noisy,
        calling(mock, KEY) as control,
        calling(mock, OTHER_KEY) as other_control,
    ):
        asked = [ask_for_nothing(quiet) for _ in range(own)]
        for _ in range(100):
            last = ask_for_nothing(noisy)
        # What is kept still answers for its tasks; what the other account has lost are its oldest.
        assert [entry["task_uuid"] for entry in entries(control)] == asked[:-17:-1]
        for uuid in asked[-16:]:
            assert quiet.ask({"taskType": "getResponse", "taskUUID": uuid}).item["taskUUID"] == uuid
        assert entries(other_control)[0]["task_uuid"] == last
        # It is cut every time a sixteenth of it is new.
        assert 32 <= len(entries(control)) + len(entries(other_control)) <= 34


@pytest.mark.parametrize("own", [3, 4])
def test_long_entries_of_one_account_push_out_no_short_ones_of_another(store: Store, own: int) -> None:
    rubbish = {f"extra{number}": "x" * 500 for number in range(20)}
    with (
        running_mock(**store.settings, journal_bytes="64KiB") as mock,
        talking(mock, "rest", KEY) as quiet,
        talking(mock, "rest", OTHER_KEY) as noisy,
        calling(mock, KEY) as control,
        calling(mock, OTHER_KEY) as other_control,
    ):
        # Each has more than 10 KB: three fit into half of the journal.
        asked = [quiet.ask(upload(png(), **rubbish)).item["taskUUID"] for _ in range(own)]
        for _ in range(20):
            assert noisy.ask(upload(png(), **rubbish)).item
        assert [entry["task_uuid"] for entry in entries(control)] == asked[:-4:-1]
        assert 3 <= len(entries(other_control)) <= 4


def test_more_accounts_than_entries_keep_the_newest_ones(store: Store) -> None:
    with running_mock(**store.settings, journal_entries=2) as mock:
        for number in range(4):
            with talking(mock, "rest", f"key-number-{number}-000000000000000") as talker:
                ask_for_nothing(talker)
        assert mock.count(journal) == 2


@pytest.mark.parametrize("sent_over", ["rest", "ws"])
@pytest.mark.parametrize("excess_bytes", [-1, 0, 1])
def test_a_frame_that_some_clients_cannot_receive_is_warned_of(
    mock: RunningMock, sent_over: str, excess_bytes: int
) -> None:
    frame_bytes = len('{"data":[{"text":""}]}')
    entry = JournalEntry(
        outcome="success",
        answer=[{"text": "x" * (2**20 - frame_bytes + excess_bytes)}],
        account_id=mock.services.accounts.open(KEY).id,
        at=0,
        ready_at=0,
        transport=sent_over,
        task_type="caption",
        task_uuid=new_uuid(),
        task={},
        client=None,
        duration_us=0,
    )
    with mock.services.database.writing() as connection:
        mock.services.journal.record(connection, entry)
    with calling(mock, KEY) as control:
        warnings = entries(control, task_uuid=entry.task_uuid)[0]["warnings"]
    is_too_long = sent_over == "ws" and excess_bytes > 0
    assert [f"{2**20 + 1} bytes" in one for one in warnings] == [True] * is_too_long


def test_a_flood_of_wrong_keys_pushes_out_no_result_and_keeps_its_own_bound(store: Store) -> None:
    with (
        running_mock(**store.settings, journal_entries=64, api_key=KEY) as mock,
        talking(mock, "rest", KEY) as quiet,
        talking(mock, "rest", OTHER_KEY) as noisy,
        calling(mock, None) as everyone,
    ):
        asked = [ask_for_nothing(quiet) for _ in range(64)]
        for _ in range(100):
            assert noisy.ask(upload("x")).codes == ["invalidApiKey"]
        assert [entry["task_uuid"] for entry in entries(everyone)] == asked[::-1]
        assert 16 <= everyone.get("/journal/count", kind="request")["count"] <= 18


def test_lookups_push_out_no_result(store: Store) -> None:
    with (
        running_mock(**store.settings, journal_entries=64) as mock,
        talking(mock, "rest", KEY) as talker,
        calling(mock, KEY) as control,
    ):
        asked = [ask_for_nothing(talker) for _ in range(64)]
        for _ in range(40):
            assert talker.ask({"taskType": "getResponse", "taskUUID": asked[0]}).item
        assert len(entries(control)) == 64
        assert 16 <= control.get("/journal/count", kind="lookup")["count"] <= 18
