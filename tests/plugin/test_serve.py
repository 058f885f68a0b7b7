"""`with runware_mock.serve() as mock:`, without pytest's help."""

import asyncio
import base64
import inspect
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

import runware_mock
from tests.pictures import png

UPLOADS = 10_000
A_REQUEST = 20
KEPT = 1000


def upload(mock: runware_mock.RunwareMock, client: httpx.Client, *pictures: bytes) -> list[str]:
    """Upload pictures with one REST request; return their UUIDs."""
    tasks = [
        {"taskType": "imageUpload", "taskUUID": str(uuid4()), "image": base64.b64encode(picture).decode()}
        for picture in pictures
    ]
    answer = client.post(mock.rest_url, headers={"Authorization": f"Bearer {mock.api_key}"}, json=tasks)
    return [item["imageUUID"] for item in answer.json()["data"]]


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client that keeps its connections."""
    with httpx.Client(trust_env=False, verify=False, timeout=60) as opened:  # noqa: S501 - no TLS on loopback
        yield opened


def test_a_server_runs_while_the_block_does(client: httpx.Client) -> None:
    with runware_mock.serve() as mock:
        (uuid,) = upload(mock, client, png())
        assert mock.is_stored(uuid)
        url = mock.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(url + "/health")


def test_nothing_is_left_of_it(client: httpx.Client) -> None:
    before = set(threading.enumerate())
    with runware_mock.serve() as mock:
        upload(mock, client, png())
    # Threads of other tests' servers may have ended meanwhile.
    assert set(threading.enumerate()) <= before


def test_two_servers_know_nothing_of_one_another(client: httpx.Client) -> None:
    with runware_mock.serve() as one, runware_mock.serve() as other:
        upload(one, client, png())
        assert len(one.uploads) == 1
        assert other.account(one.api_key).uploads == []


def test_state_survives_in_a_data_folder(tmp_path: Path, client: httpx.Client) -> None:
    with runware_mock.serve(data_dir=tmp_path) as mock:
        (uuid,) = upload(mock, client, png())
    with runware_mock.serve(data_dir=tmp_path) as again:
        assert again.account(mock.api_key).is_stored(uuid)


def test_it_runs_in_a_thread_and_in_a_loop() -> None:
    def in_a_thread() -> str:
        with runware_mock.serve() as mock:
            return mock.control.status().version

    async def in_a_loop() -> str:
        return in_a_thread()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(in_a_thread).result() == runware_mock.__version__
    assert asyncio.run(in_a_loop()) == runware_mock.__version__


@pytest.mark.parametrize(
    ("setting", "message"),
    [({"retention": "soon"}, "setting retention: not a duration"), ({"retentoin": "7d"}, "setting retentoin: ")],
)
def test_a_bad_setting_is_told_by_name(setting: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message), runware_mock.serve(**setting):
        pass


def test_a_taken_port_is_told() -> None:
    with runware_mock.serve() as mock:
        port = int(mock.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), runware_mock.serve(port=port):
            pass


def test_the_package_shows_its_public_names_each_with_a_docstring() -> None:
    assert dir(runware_mock) == ["ControlClient", "ControlError", "Fault", "RunwareMock", "__version__", "serve"]
    assert all(getattr(runware_mock, name).__doc__ for name in dir(runware_mock))
    public = [member for member in vars(runware_mock.RunwareMock).values() if inspect.isfunction(member)]
    assert all(method.__doc__ and method.__annotations__ for method in public if not method.__name__.startswith("_"))


@pytest.mark.full
def test_ten_thousand_uploads_leave_a_bounded_journal(client: httpx.Client) -> None:
    pictures = [png() for _ in range(A_REQUEST)]
    with runware_mock.serve(journal_entries=KEPT) as mock:
        uuids = [uuid for _ in range(UPLOADS // A_REQUEST) for uuid in upload(mock, client, *pictures)]
        assert len(set(uuids)) == UPLOADS
        assert mock.media.list(limit=1).total == UPLOADS
        # It is cut when a sixteenth of it is new.
        assert KEPT <= mock.journal.count() <= KEPT + KEPT // 16 + 1
        assert {entry.answer[0]["imageUUID"] for entry in mock.uploads} < set(uuids[-2 * KEPT :])
