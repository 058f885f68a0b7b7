"""However many tasks are sent at once, each rule is used exactly as often as it says."""

import threading
from collections.abc import Iterable

import pytest

from runware_mock.testing import RunwareMock
from tests.running import RunningMock
from tests.talking import Task, talking
from tests.tasks.asking import task


@pytest.fixture
def scripted(mock: RunningMock, api_key: str) -> RunwareMock:
    """Return the test's account."""
    return RunwareMock(mock.url, api_key)


def search(word: str) -> Task:
    """Return the cheapest task."""
    return task("modelSearch", search=word)


def rules_met(mock: RunningMock, api_key: str, requests: Iterable[list[Task]], threads: int) -> list[object]:
    """Send these requests, so many at once; return the field `rule` of each answer."""
    given: list[object] = []
    lock, waiting = threading.Lock(), iter(requests)

    def send() -> None:
        with talking(mock, "rest", api_key) as talker:
            while True:
                with lock:
                    tasks = next(waiting, None)
                if tasks is None:
                    return
                given.extend(item.get("rule") for item in talker.ask(*tasks).data)

    senders = [threading.Thread(target=send) for _ in range(threads)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return given


@pytest.mark.both_databases
def test_a_task_that_two_rules_fit_uses_the_first_that_is_left(
    mock: RunningMock, api_key: str, scripted: RunwareMock
) -> None:
    for number in range(20):
        scripted.answers.on(where={"search": f"word {number % 10}"}).give(fields={"rule": number}, times=3)
    given = rules_met(mock, api_key, [[search(f"word {step % 10}")] for step in range(80)], threads=8)
    assert sorted(one for one in given if isinstance(one, int)) == sorted([*range(20)] * 3)
    assert given.count(None) == 20
    assert [rule.seen for rule in scripted.answers.list()] == [8] * 20


@pytest.mark.full
@pytest.mark.timeout(600)
def test_ten_thousand_tasks_from_32_threads_use_a_hundred_rules_exactly_as_often_as_they_say(
    mock: RunningMock, api_key: str, scripted: RunwareMock
) -> None:
    words = [f"word {number}" for number in range(100)]
    for number, word in enumerate(words):
        scripted.answers.on(where={"search": word}).give(fields={"rule": number}, times=1 + number % 90)
    requests = [[search(word) for word in words[start::5]] for start in range(5) for _ in range(100)]
    given = rules_met(mock, api_key, requests, threads=32)
    assert len(given) == 10_000
    assert [given.count(number) for number in range(100)] == [1 + number % 90 for number in range(100)]
