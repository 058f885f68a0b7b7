"""Threads that work in turns share a core while they do; whoever is started meanwhile may use all."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Thread, get_native_id
from threading import enumerate as all_threads

import pytest
from PIL import Image

from runware_mock.cores import SameCore, roaming_pool
from tests.pictures import png
from tests.talking import Talker, upload

ALL = os.sched_getaffinity(0) if sys.platform == "linux" else set()

pytestmark = pytest.mark.skipif(len(ALL) < 2, reason="there is one core, or the system lets nobody choose")


@pytest.fixture(autouse=True)
def _test_on_all_cores() -> Iterator[None]:
    yield
    os.sched_setaffinity(0, ALL)


@pytest.fixture
def other() -> Iterator[int]:
    """Start another thread."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(get_native_id).result()


def cores_of(*thread_ids: int) -> list[set[int]]:
    return [os.sched_getaffinity(thread_id) for thread_id in thread_ids]


def test_two_threads_are_kept_on_the_core_of_the_first_until_they_are_let_go(other: int) -> None:
    core = max(ALL)
    same_core = SameCore(other)
    os.sched_setaffinity(0, {core})
    same_core.keep()
    assert cores_of(0, other) == [{core}, {core}]
    same_core.let_go()
    assert cores_of(0, other) == [ALL, ALL]


def test_a_process_that_has_one_core_is_left_alone(other: int) -> None:
    core = max(ALL)
    os.sched_setaffinity(0, {core})
    same_core = SameCore(other)
    same_core.keep()
    same_core.let_go()
    assert cores_of(0, other) == [{core}, ALL]


def test_a_thread_that_has_ended_is_no_error() -> None:
    ended = Thread(target=int)
    ended.start()
    ended.join()
    assert ended.native_id is not None
    same_core = SameCore(ended.native_id)
    same_core.keep()
    same_core.let_go()
    assert cores_of(0) == [ALL]


def test_a_roaming_thread_runs_on_all_cores_though_it_is_started_by_one_that_does_not() -> None:
    with roaming_pool(1, "roaming") as pool, ThreadPoolExecutor(1) as following:
        os.sched_setaffinity(0, {max(ALL)})
        assert [one.submit(os.sched_getaffinity, 0).result() for one in (pool, following)] == [ALL, {max(ALL)}]


def test_pictures_are_decoded_on_all_cores_though_light_tasks_keep_to_one(talker: Talker) -> None:
    big = BytesIO()
    Image.new("RGB", (200, 200), "teal").save(big, "BMP")
    for data in (png(), png(), big.getvalue()):
        assert talker.ask(upload(data)).item["imageUUID"]
    decoding = [thread.native_id or 0 for thread in all_threads() if thread.name.startswith("decoding")]
    assert decoding
    assert cores_of(*decoding) == [ALL] * len(decoding)
