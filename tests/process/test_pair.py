"""Two server processes on one database are one service: what happens at both at once happens once."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count, cycle
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import select

from runware_mock.purge import CHUNK
from runware_mock.storage.models import content, delivery, medium
from runware_mock.webhooks import ATTEMPTS
from tests import plain
from tests.control.calling import Calls, calling
from tests.faults.planning import met, plan
from tests.pictures import png
from tests.process import scenes
from tests.process.clients import fetched, rest, ws
from tests.process.test_hardships import wait_until
from tests.protocol.test_sockets import break_connection, resume, session_of
from tests.running import MockProcess, mock_process
from tests.stores import Store, store_of
from tests.talking import Talker, new_uuid, upload
from tests.tasks.asking import inference
from tests.tasks.webhooks import status, webhook

pytestmark = pytest.mark.both_databases

T = TypeVar("T")
Pair = tuple[MockProcess, MockProcess]
THREADS = 8


@pytest.fixture(scope="module")
def shared(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Make one database for all tests here; each has an account of its own."""
    with store_of(database, tmp_path_factory.mktemp("shared")) as store:
        yield store


@pytest.fixture(scope="module")
def pair(shared: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Run two servers on it. They purge only when asked to."""
    folder = tmp_path_factory.mktemp("pair")
    arguments = (*shared.arguments, "--purge-every=365d", "--seed=7")
    with mock_process(folder, *arguments) as one, mock_process(folder, *arguments) as other:
        yield one, other


@pytest.fixture
def controls(pair: Pair, api_key: str) -> Iterator[tuple[Calls, Calls]]:
    """Open the control API of both."""
    with calling(pair[0], api_key) as one, calling(pair[1], api_key) as other:
        yield one, other


def at_once(act: Callable[[int], T], threads: int = THREADS) -> list[T]:
    """Do something in several threads, all beginning at the same moment."""
    together = threading.Barrier(threads)

    def acted(number: int) -> T:
        together.wait(60)
        return act(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(acted, range(threads)))


def client(pair: Pair, number: int, api_key: str, cleanup: ExitStack) -> Talker:
    """Open a client: at the one server or the other, over the one transport or the other."""
    url = pair[number % 2].url
    return cleanup.enter_context(rest(url, api_key)) if number // 2 % 2 else cleanup.enter_context(ws(url, api_key))


def test_a_fault_is_met_as_often_as_planned(pair: Pair, api_key: str, controls: tuple[Calls, Calls]) -> None:
    name = plan(controls[0], {"kind": "error", "code": "rateLimitExceeded", "times": 11})

    def send(number: int) -> list[str]:
        with ExitStack() as cleanup:
            talker = client(pair, number, api_key, cleanup)
            return [code for _ in range(5) for code in talker.ask(upload(png())).codes]

    codes = [code for codes in at_once(send) for code in codes]
    assert codes == ["rateLimitExceeded"] * 11
    assert met(controls[1], name) == [11]


def test_the_faults_of_connections_are_met_at_the_other_server_at_once(
    pair: Pair, shared: Store, api_key: str, controls: tuple[Calls, Calls]
) -> None:
    if not shared.is_postgres:
        pytest.skip("two servers that happen to use the same file know within a second")
    with rest(pair[0].url, api_key) as here, rest(pair[1].url, api_key) as there:
        for talker in (there, here) * 3:
            assert talker.ask(upload(png())).item
            name = plan(controls[0], {"kind": "refuse_authentication"})
            assert talker.ask(upload(png())).codes == ["invalidApiKey"]
            assert met(controls[1], name) == [1]


@pytest.mark.parametrize("follows_all", [False, True])
def test_who_follows_the_journal_misses_nothing(pair: Pair, api_key: str, *, follows_all: bool) -> None:
    rounds = 12
    wanted: set[str] = set()

    def send(number: int) -> list[str]:
        with ExitStack() as cleanup:
            talker = client(pair, number, f"{api_key}-{number % 3}" if follows_all else api_key, cleanup)
            tasks = [upload(scenes.heavy(1) if number % 3 else png()) for _ in range(rounds)]
            for task in tasks:
                assert talker.ask(task).item
            return [str(task["taskUUID"]) for task in tasks]

    seen: list[str] = []
    is_over = threading.Event()

    def follow() -> None:
        with ExitStack() as cleanup:
            followers = cycle(
                [cleanup.enter_context(calling(server, None if follows_all else api_key)) for server in pair]
            )
            last = 0
            ends = False
            while not ends:
                ends = is_over.is_set()
                entries = next(followers).get("/journal", since=last, limit=1000)["entries"]
                seen.extend(entry["task_uuid"] for entry in reversed(entries))
                last = entries[0]["id"] if entries else last

    follower = threading.Thread(target=follow)
    follower.start()
    for uuids in at_once(send):
        wanted.update(uuids)
    is_over.set()
    follower.join()
    assert len(wanted) == THREADS * rounds
    assert wanted <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_clock_that_both_advance_has_moved_by_both(controls: tuple[Calls, Calls]) -> None:
    at_once(lambda number: [controls[number % 2].post("/clock/advance", by="1h") for _ in range(5)])
    offsets = {control.get("/clock")["offset"] for control in controls}
    assert offsets == {"1d16h"}


def test_a_moved_clock_is_seen_by_the_other_server_at_once(
    pair: Pair, api_key: str, controls: tuple[Calls, Calls]
) -> None:
    for number in range(4):
        here, there = controls[number % 2], controls[1 - number % 2]
        with rest(pair[1 - number % 2].url, api_key) as talker:
            item = talker.ask(upload(png())).item
            assert item["imageUUID"] in here.post("/clock/advance", by="30d")["purged"]["uuids"]
            assert fetched(pair[1 - number % 2].url, item["imageURL"]).status_code == 404
            assert there.get("/clock")["offset"] == f"{30 * (number + 1)}d"
            late = talker.ask(upload(png())).item["imageUUID"]
            assert here.get("/forecast", **{"in": "29d"})["media"][-1]["uuid"] == late


def test_what_both_purge_is_purged_once(pair: Pair, shared: Store, api_key: str) -> None:
    media = 2 * CHUNK + 1
    with rest(pair[0].url, api_key) as talker:
        answer = talker.ask(*(upload(scenes.small(number)) for number in range(media)))
        uuids = {item["imageUUID"] for item in answer.data}
    shared.make_old(*uuids)

    def purge(number: int) -> Any:
        with calling(pair[number % 2], None) as everyone:
            return everyone.post("/purge")

    purges = at_once(purge, 4)
    assert sum(one["media"] for one in purges) == media
    assert sum(one["contents"] for one in purges) == media
    assert sorted(uuid for one in purges for uuid in one["uuids"]) == sorted(uuids)


def test_a_webhook_is_called_once_for_each_result(pair: Pair, shared: Store, api_key: str) -> None:
    rounds = 5
    with webhook(status(200)) as hook:

        def send(number: int) -> list[str]:
            with ExitStack() as cleanup:
                talker = client(pair, number, api_key, cleanup)
                asked = [inference(webhookURL=hook.url) for _ in range(rounds)]
                return [talker.ask(task).item["imageUUID"] for task in asked]

        wanted = sorted(uuid for uuids in at_once(send) for uuid in uuids)
        wait_until(lambda: not shared.count(delivery))
    assert sorted(str(body["imageUUID"]) for _, body in hook.taken) == wanted


def test_a_webhook_that_refuses_is_called_as_often_as_a_moved_clock_says(
    pair: Pair, api_key: str, controls: tuple[Calls, Calls]
) -> None:
    """The schedules of both look four times a second, and must not take an attempt out of the middle."""
    controls[0].post("/clock/freeze")
    with webhook(status(503)) as hook, rest(pair[0].url, api_key) as talker:
        for rounds in range(1, 9):
            assert talker.ask(inference(webhookURL=hook.url)).item
            assert controls[rounds % 2].post("/clock/advance", by="1d")["delivered"] in (ATTEMPTS - 1, ATTEMPTS)
            assert len(hook.taken) == ATTEMPTS * rounds


def test_seeded_uuids_are_drawn_in_order_and_once(pair: Pair, shared: Store, api_key: str) -> None:
    rounds = 6

    def send(number: int) -> list[str]:
        with ExitStack() as cleanup:
            talker = client(pair, number, api_key, cleanup)
            return [talker.ask(upload(png())).item["imageUUID"] for _ in range(rounds)]

    uuids = [uuid for uuids in at_once(send) for uuid in uuids]
    with calling(pair[0], api_key) as control:
        account_id = control.get("/clock")["account"]
    ((key_hash,),) = shared.rows("SELECT key_hash FROM account WHERE id = :id", id=account_id)
    digests = (hashlib.sha256(f"7 {key_hash} {n + 1}".encode()).digest() for n in range(THREADS * rounds))
    assert sorted(uuids) == sorted(str(UUID(bytes=digest[:16], version=4)) for digest in digests)


@pytest.mark.parametrize("path", ["/snapshots/mine", "/faults"])
def test_a_name_that_both_take_at_once_is_taken_once(controls: tuple[Calls, Calls], path: str) -> None:
    body = {"name": "mine", "faults": [{"kind": "empty"}]} if path == "/faults" else None
    answers = at_once(lambda number: controls[number % 2].client.post(path, json=body).status_code)
    assert sorted(answers) == [201] + [409] * (THREADS - 1)


def test_an_account_that_both_open_at_once_is_one(pair: Pair) -> None:
    for _ in range(5):
        key = new_uuid()

        def open_it(number: int, key: str = key) -> int:
            with calling(pair[number % 2], key) as control:
                return int(control.get("/clock")["account"])

        assert len(set(at_once(open_it))) == 1


def test_the_same_new_pictures_in_any_order_get_in_nobodys_way(pair: Pair, shared: Store, api_key: str) -> None:
    """Accounts share pictures: those who store the same two in opposite order could wait for one another."""
    pictures = [png() for _ in range(16)]

    def send(number: int) -> list[str]:
        ordered = pictures if number % 2 else pictures[::-1]
        with rest(pair[number // 2 % 2].url, f"{api_key}-{number}") as talker:
            return talker.ask(*map(upload, ordered)).codes

    before = shared.count(content)
    assert at_once(send) == [[]] * THREADS
    assert shared.count(content) == before + len(pictures)


def test_pictures_that_come_and_go_everywhere_are_never_lost(pair: Pair, shared: Store, api_key: str) -> None:
    """Each account uploads the same few, uses, deletes or lets expire most, while everybody purges."""
    pictures = [scenes.small(1), scenes.small(2), scenes.heavy(3)]
    rounds = count()

    def come_and_go(number: int) -> list[tuple[str, bytes]]:
        kept = []
        with ExitStack() as cleanup:
            talker = client(pair, number, f"{api_key}-{number % 4}", cleanup)
            control = cleanup.enter_context(calling(pair[number % 2], f"{api_key}-{number % 4}"))
            for _ in range(10):
                picture = pictures[next(rounds) % 3]
                item = talker.ask(upload(picture)).item
                uuid = item["imageUUID"]
                match next(rounds) % 5:
                    case 0:
                        deletion = {"taskType": "mediaStorage", "operation": "delete", "media": uuid}
                        assert not talker.ask({**deletion, "taskUUID": new_uuid()}).errors
                    case 1:
                        control.delete(f"/media/{uuid}")
                    case 2:
                        shared.make_old(uuid)
                        control.post("/purge")
                    case 3:
                        again = talker.ask(upload(item["imageURL"])).item
                        kept += [(item["imageURL"], picture), (again["imageURL"], picture)]
                    case _:
                        kept.append((item["imageURL"], picture))
        return kept

    kept = [one for some in at_once(come_and_go) for one in some]
    with calling(pair[0], None) as everyone:
        everyone.post("/purge")
        assert everyone.get("/journal/count", outcome="crash") == {"count": 0}
    for url, picture in kept:
        assert fetched(pair[1].url, url).content == picture
    with shared.engine.connect() as connection:
        orphans = select(content.c.id).where(content.c.id.not_in(select(medium.c.content_id)))
        assert connection.execute(orphans).all() == []


def test_an_undelivered_answer_goes_to_the_server_to_which_the_client_came_back(pair: Pair, api_key: str) -> None:
    for here, there in (pair, pair[::-1]):
        with ws(here.url, api_key) as first, ws(there.url, "") as second:
            session = session_of(first)
            item = first.ask(upload(png())).item
            break_connection(first)
            resume(second, api_key, session)
            assert second.frame()["data"] == [item]


def test_a_result_and_a_conflict_are_known_at_both(pair: Pair, api_key: str) -> None:
    with rest(pair[0].url, api_key) as here, ws(pair[1].url, api_key) as there:
        task = upload(png())
        item = here.ask(task).item
        assert there.ask(task).codes == ["conflictTaskUUID"]
        polled = there.ask({"taskType": "getResponse", "taskUUID": task["taskUUID"]}).item
        assert polled["imageUUID"] == item["imageUUID"]


def test_an_account_restored_at_one_server_is_so_at_the_other(
    pair: Pair, api_key: str, controls: tuple[Calls, Calls], tmp_path: Path
) -> None:
    with rest(pair[1].url, api_key) as talker:
        kept = talker.ask(upload(png())).item
        controls[0].post("/snapshots/before")
        late = talker.ask(upload(png())).item
        archive = controls[1].client.get("/export").content
        controls[1].post("/snapshots/before/restore")
        assert fetched(pair[0].url, late["imageURL"]).status_code == 404
        controls[0].post("/import", content=archive)
        for item in (kept, late):
            assert fetched(pair[1].url, item["imageURL"]).status_code == 200
    (tmp_path / "state.zip").write_bytes(archive)
    assert json.loads(plain.get(f"{pair[0].url}/ready").text)["status"] == "ready"
