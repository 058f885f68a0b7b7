"""Forget, keep, put back and carry away an account's state."""

import hashlib
import io
import json
import zipfile

import pytest
from sqlalchemy import insert, update

from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.models import account, content, medium, snapshot
from tests import plain
from tests.control.calling import Calls, calling
from tests.images.painting import one_color_png
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.stores import Store
from tests.talking import Talker, new_uuid, talking, upload

pytestmark = pytest.mark.both_databases


def caption(uuid: str) -> dict[str, str]:
    return {"taskType": "caption", "taskUUID": new_uuid(), "inputImage": uuid}


@pytest.mark.parametrize(
    ("scope", "left"),
    [
        ("all", (0, 0, "0s")),
        ("media", (0, 1, "1d")),
        ("journal", (1, 0, "1d")),
        ("clock", (1, 1, "0s")),
        ("faults", (1, 1, "1d")),
    ],
)
def test_a_reset_forgets_what_its_scope_names(
    talker: Talker, control: Calls, scope: str, left: tuple[int, int, str]
) -> None:
    assert talker.ask(upload(png())).item
    control.post("/clock/advance", by="1d")
    control.post("/reset", scope=scope)
    there = (control.get("/media")["total"], control.get("/journal/count")["count"], control.get("/clock")["offset"])
    assert there == left


def test_a_reset_of_one_account_leaves_the_others_alone(mock: RunningMock, talker: Talker, api_key: str) -> None:
    item = talker.ask(upload(png())).item
    with calling(mock, "another-" + new_uuid()) as other:
        assert other.post("/reset")["media"] == 0
    assert plain.get(item["imageURL"]).status_code == 200
    with talking(mock, talker.name, api_key) as again:
        assert again.ask(caption(item["imageUUID"])).item


def test_a_reset_of_all_accounts_forgets_every_one(store: Store, transport: str) -> None:
    with running_mock(**store.settings) as mock, calling(mock, None) as everyone:
        for key in ("first", "second"):
            with talking(mock, transport, key) as talker:
                assert talker.ask(upload(png())).item
        assert everyone.post("/reset") == {"scope": "all", "media": 2, "journal": 2, "faults": 0, "clock": 1}
        assert (mock.count(medium), mock.count(content)) == (0, 0)


def test_an_unknown_scope_is_refused_with_those_that_exist(control: Calls) -> None:
    status, error = control.refused("POST", "/reset", json={"scope": "everything"})
    assert (status, error["field"]) == (400, "scope")
    assert "journal" in error["message"]


def test_a_snapshot_puts_everything_back(talker: Talker, control: Calls) -> None:
    kept = talker.ask(upload(png())).item
    control.post("/clock/advance", by="29d")
    assert control.post("/snapshots/before")["media"] == 1
    late = talker.ask(upload(png())).item
    # The picture expires and is purged, yet its bytes are kept for the snapshot.
    control.post("/clock/advance", by="2d")
    assert plain.get(kept["imageURL"]).status_code == 404
    control.post("/snapshots/before/restore")
    assert plain.get(kept["imageURL"]).status_code == 200
    assert plain.get(late["imageURL"]).status_code == 404
    assert control.get("/clock")["offset"] == "29d"
    assert control.get("/journal/count")["count"] == 1
    assert talker.ask(caption(kept["imageUUID"])).item
    # A snapshot can be put back as often as one likes.
    control.post("/reset")
    control.post("/snapshots/before/restore")
    assert talker.ask(caption(kept["imageUUID"])).item


def test_snapshots_are_listed_and_deleted_with_the_bytes_only_they_needed(
    store: Store, transport: str, api_key: str
) -> None:
    with (
        running_mock(**store.settings) as mock,
        talking(mock, transport, api_key) as talker,
        calling(mock, api_key) as control,
    ):
        assert talker.ask(upload(png())).item
        control.post("/snapshots/one")
        control.post("/snapshots/two")
        assert [one["name"] for one in control.get("/snapshots")["snapshots"]] == ["two", "one"]
        control.post("/reset")
        assert mock.count(content) == 1
        for name in ("one", "two"):
            assert control.delete(f"/snapshots/{name}") == {"deleted": 1}
        assert (mock.count(content), mock.count(snapshot)) == (0, 0)


def test_snapshots_are_the_accounts_own(mock: RunningMock, control: Calls) -> None:
    control.post("/snapshots/mine")
    with calling(mock, "another-" + new_uuid()) as other:
        assert other.get("/snapshots") == {"snapshots": []}
        assert other.refused("POST", "/snapshots/mine/restore")[0] == 404
    with calling(mock, None) as everyone:
        assert everyone.refused("POST", "/snapshots/mine")[1]["field"] == "account"


def test_what_cannot_be_kept_or_put_back_is_refused(control: Calls) -> None:
    control.post("/snapshots/here")
    assert control.refused("POST", "/snapshots/here")[1]["code"] == "conflict"
    assert control.refused("POST", f"/snapshots/{'x' * 101}")[1]["field"] == "name"
    assert control.refused("POST", "/snapshots/nowhere/restore")[0] == 404
    assert control.refused("DELETE", "/snapshots/nowhere")[0] == 404


def test_a_snapshot_of_another_version_is_refused_and_changes_nothing(
    mock: RunningMock, talker: Talker, control: Calls
) -> None:
    control.post("/snapshots/old")
    with mock.services.database.writing() as connection:
        connection.execute(update(snapshot).where(snapshot.c.name == "old").values(payload=b'{"version":"0000"}'))
    item = talker.ask(upload(png())).item
    status, error = control.refused("POST", "/snapshots/old/restore")
    assert (status, error["field"]) == (400, "version")
    assert plain.get(item["imageURL"]).status_code == 200


def test_an_archive_carries_an_account_to_another_server(store: Store, talker: Talker, control: Calls) -> None:
    picture = png()
    item = talker.ask(upload(picture)).item
    control.post("/clock/advance", by="12d")
    archive = control.client.get("/export").content
    with (
        running_mock(**store.settings) as elsewhere,
        calling(elsewhere, "its key") as there,
        talking(elsewhere, "rest", "its key") as it,
    ):
        assert it.ask(upload(png())).item
        assert there.post("/import", content=archive) == {"media": 1, "journal": 1, "plans": 0}
        assert it.ask(caption(item["imageUUID"])).item
        moved = there.get(f"/media/{item['imageUUID']}")
        assert plain.get(moved["url"]).content == picture
        assert there.get("/clock")["offset"] == "12d"
        assert (there.get("/media")["total"], elsewhere.count(content)) == (1, 1)


def test_an_archive_cannot_make_anothers_upload_a_different_picture(
    mock: RunningMock, talker: Talker, api_key: str, control: Calls
) -> None:
    planted, uploaded = png(), png(20, 20)
    talker.ask(upload(planted))
    archive = control.client.get("/export").content
    control.post("/reset")
    claimed = hashlib.sha256(uploaded).hexdigest()
    control.post("/import", content=edited(archive, "content[0].sent_sha256", claimed))
    for key in ("another key", api_key):
        with talking(mock, "rest", key) as other:
            item = other.ask(upload(uploaded)).item
        assert plain.get(item["imageURL"]).content == uploaded
    # What it does bring is found by its own bytes, with what is true of them.
    with talking(mock, "rest", "another key") as other, calling(mock, "another key") as other_control:
        other.ask(upload(planted))
        sent = other_control.get("/journal")["entries"][0]["audit"]["sent"]
    assert sent["sha256"] == hashlib.sha256(planted).hexdigest()


def broken_archives() -> list[bytes]:
    def zipped(**files: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in files.items():
                archive.writestr(name.replace("_", "."), data)
        return out.getvalue()

    state = {"version": "0001", "content": [], "medium": [{}], "journal": [], "fault_plan": [], "account_clock": []}
    return [
        b"",
        b"no zip",
        zipped(other_json=b"{}"),
        zipped(state_json=b"no json"),
        zipped(state_json=b"[]"),
        zipped(state_json=b"{}"),
        zipped(state_json=json.dumps(state).encode()),
        zipped(state_json=json.dumps({**state, "medium": [], "version": "9"}).encode()),
    ]


@pytest.mark.parametrize("number", range(len(broken_archives())))
def test_a_broken_archive_is_refused_and_changes_nothing(talker: Talker, control: Calls, number: int) -> None:
    item = talker.ask(upload(png())).item
    status, error = control.refused("POST", "/import", content=broken_archives()[number])
    assert status == 400
    assert error["field"] in ("body", "version", "medium[0].id")
    assert talker.ask(caption(item["imageUUID"])).item


def forged(archive: bytes, picture: bytes, **facts: object) -> bytes:
    """Return an archive with another picture in it, of which other facts are told."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            if name == "state.json":
                state = json.loads(data)
                state["content"] = [{**row, **facts} for row in state["content"]]
                after.writestr(name, json.dumps(state))
            else:
                after.writestr(name, picture)
    return out.getvalue()


@pytest.mark.parametrize(
    ("picture", "facts", "word"),
    [
        (b"MM\0*a TIFF", {}, "The format is TIFF"),
        (png()[:-20], {}, "cannot be decoded"),
        (one_color_png(3000), {}, "is not the png"),
        (png(), {"format": "gif"}, "is not the gif"),
        (png(), {"width_px": 10**6}, "is not the png"),
        (png(), {"format": "svg"}, "is not the svg"),
    ],
    ids=["TIFF", "broken", "large", "format", "size", "svg"],
)
def test_what_an_archive_brings_is_proved_as_an_upload_is(
    talker: Talker, control: Calls, picture: bytes, facts: dict[str, object], word: str
) -> None:
    item = talker.ask(upload(png())).item
    archive = control.client.get("/export").content
    status, error = control.refused("POST", "/import", content=forged(archive, picture, **facts))
    assert (status, error["field"], word in error["message"]) == (400, "body", True), error
    assert talker.ask(caption(item["imageUUID"])).item


def test_an_archive_that_inflates_hugely_is_not_inflated(control: Calls) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state.json", bytes(2**28 + 1))
    assert len(out.getvalue()) < 2**20
    status, error = control.refused("POST", "/import", content=out.getvalue())
    assert (status, "inflates" in error["message"]) == (413, True)


def test_an_archive_is_refused_where_another_account_has_one_of_its_media(
    mock: RunningMock, talker: Talker, control: Calls
) -> None:
    assert talker.ask(upload(png())).item
    archive = control.client.get("/export").content
    with calling(mock, "another-" + new_uuid()) as other:
        assert other.refused("POST", "/import", content=archive)[1]["code"] == "conflict"


def test_accounts_that_have_nothing_are_not_listed(mock: RunningMock, talker: Talker, control: Calls) -> None:
    with calling(mock, None) as everyone:

        def is_listed() -> bool:
            return account_id in [one["id"] for one in everyone.get("/accounts")["accounts"]]

        assert talker.ask(upload(png())).item
        account_id = control.get("/clock")["account"]
        assert is_listed()
        control.post("/reset")
        assert not is_listed()
        # An open socket goes on as before.
        assert talker.ask(upload(png())).item
        assert is_listed()


def test_the_accounts_are_listed_with_masked_labels(mock: RunningMock, talker: Talker, api_key: str) -> None:
    assert talker.ask(upload(png())).item
    with calling(mock, None) as everyone:
        newest = everyone.get("/accounts")["accounts"][0]
    assert (newest["media"], newest["journal"], newest["plans"]) == (1, 1, 0)
    assert newest["label"] == f"{api_key[:3]}…{api_key[-3:]}"
    with calling(mock, None) as everyone:
        assert everyone.get("/media", account=newest["id"])["total"] == 1
        assert everyone.refused("GET", "/media", params={"account": 10**9})[0] == 404


def test_the_status_tells_version_and_settings_without_secrets() -> None:
    with running_mock(api_key=("a-secret-key-0123456789",), retention="2h") as mock, calling(mock, None) as everyone:
        status = everyone.get("/status")
    assert status["settings"] == {"port": "0", "in_memory": "True", "retention": "2h", "api_key": "(hidden)"}
    assert (status["url"], status["media"]) == (mock.url, 0)


def edited(archive: bytes, path: str, value: object) -> bytes:
    """Return an archive with another value at a path such as `journal[0].answer`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            if name == "state.json":
                state = json.loads(data)
                table, _, field = path.partition("[0].")
                state[table][0][field] = value
                data = json.dumps(state).encode()
            after.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("journal[0].answer", "no JSON"),
        ("journal[0].answer", "5"),
        ("journal[0].answer", '["a text"]'),
        ("journal[0].task", "[]"),
        ("journal[0].audit", '{"sent": 5}'),
        ("journal[0].faults", '[{"kind": 5}]'),
        ("journal[0].at", "yesterday"),
        ("journal[0].at", 10**17),
        ("journal[0].duration_us", -1),
        ("journal[0].outcome", "maybe"),
        ("journal[0].kind", "maybe"),
        ("journal[0].status", 5000),
        ("medium[0].last_used_at", -(10**15)),
        ("medium[0].last_used_at", 10**17),
        ("medium[0].expires_at", "soon"),
        ("medium[0].uuid", "no UUID"),
        ("account_clock[0].offset_ms", 10**15),
        ("account_clock[0].offset_ms", -(10**13)),
        ("account_clock[0].frozen_at", -1),
        ("fault[0].spec", "no JSON"),
        ("fault[0].spec", '{"kind": "earthquake"}'),
        ("fault_plan[0].name", "a/b"),
        ("content[0].orientation", 9),
        ("content[0].unknown", 1),
    ],
)
def test_an_archive_with_an_absurd_value_is_refused_by_its_path_and_changes_nothing(
    talker: Talker, control: Calls, path: str, value: object
) -> None:
    item = talker.ask(upload(png())).item
    control.post("/clock/advance", by="1d")
    control.post("/faults", name="kept", faults=[{"kind": "latency"}], by_name_only=True)
    archive = control.client.get("/export").content
    status, error = control.refused("POST", "/import", content=edited(archive, path, value))
    assert (status, error["field"]) == (400, path)
    assert [plan["name"] for plan in control.get("/faults")["plans"]] == ["kept"]
    assert (control.get("/clock")["offset"], control.get("/media")["total"]) == ("1d", 1)
    assert talker.ask(caption(item["imageUUID"])).item


@pytest.mark.parametrize(
    ("path", "value"),
    [("medium[0].content_id", 10**6), ("fault[0].plan_id", 10**6)],
)
def test_an_archive_with_a_row_that_points_nowhere_is_refused(
    talker: Talker, control: Calls, path: str, value: object
) -> None:
    assert talker.ask(upload(png())).item
    control.post("/faults", name="kept", faults=[{"kind": "latency"}], by_name_only=True)
    archive = control.client.get("/export").content
    status, error = control.refused("POST", "/import", content=edited(archive, path, value))
    assert (status, error["field"]) == (400, "body")


def test_a_whole_archive_of_errors_faults_and_models_can_be_imported_again(talker: Talker, control: Calls) -> None:
    control.post("/faults", faults=[{"kind": "error", "code": "internalServerError", "probability": 0.999}])
    for task in (upload(png()), upload("no picture"), upload(png(2100, 1050)), {"taskType": "nonsense"}, {}):
        talker.ask(task)
    control.post("/clock/freeze")
    archive = control.client.get("/export").content
    before = control.get("/journal")["entries"]
    control.post("/reset")
    assert control.post("/import", content=archive)["journal"] == len(before)
    after = control.get("/journal")["entries"]
    assert [{**one, "id": 0} for one in after] == [{**one, "id": 0} for one in before]


@pytest.mark.parametrize("path", ["/", "/ui/journal", "/ui/controls", "/_mock/accounts"])
def test_twenty_thousand_empty_accounts_do_not_fill_the_page(path: str) -> None:
    empty = [{"key_hash": f"{number:064x}", "label": f"key{number}", "created_at": 1} for number in range(20_000)]
    with running_mock() as mock:
        sizes_bytes = []
        for accounts in (empty[:1], empty[1:]):
            with mock.services.database.writing(ALL_ACCOUNTS) as connection:
                connection.execute(insert(account), accounts)
            sizes_bytes.append(len(plain.get(mock.url + path, headers={"Accept": "text/html"}).content))
        assert sizes_bytes[0] == sizes_bytes[1]
