"""For whoever watches the server: alive, ready, and what it has done so far."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Semaphore

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runware_mock.scheduler import Schedule
from tests import plain
from tests.pictures import png
from tests.process.clients import rest
from tests.running import RunningMock, mock_process_logging, running_mock
from tests.talking import talking, talking_ws, upload


@pytest.fixture
def alone() -> Iterator[RunningMock]:
    """A server of the test's own: metrics are of the whole process."""
    with running_mock() as mock:
        yield mock


def sample(name: str, *labels: str) -> tuple[str, ...]:
    """Return the key of a sample, whatever the order of its labels."""
    return (f"runware_mock_{name}", *sorted(labels))


def metrics(mock: RunningMock) -> dict[tuple[str, ...], float]:
    """Return every sample by its name and the values of its labels."""
    answer = plain.get(f"{mock.url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (one.name, *sorted(one.labels.values())): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def test_a_server_that_serves_is_alive_and_ready(mock: RunningMock) -> None:
    assert plain.get(f"{mock.url}/health").json()["status"] == "ok"
    assert plain.get(f"{mock.url}/ready").json()["status"] == "ready"


def test_a_server_without_its_tables_or_schedules_says_what_is_missing(alone: RunningMock) -> None:
    file = Path(alone.services.database.name)
    alone.services.database.close()
    file.unlink()
    file.mkdir()
    answer = plain.get(f"{alone.url}/ready")
    assert answer.status_code == 503
    (missing,) = answer.json()["missing"]
    assert missing.startswith("database: ")
    assert plain.get(f"{alone.url}/health").status_code == 200


def test_a_schedule_that_fails_again_and_again_is_told_until_it_works() -> None:
    begun, is_broken = Semaphore(0), Event()
    is_broken.set()

    def act(_stopped: object) -> None:
        begun.release()
        if is_broken.is_set():
            raise OSError("the disk is full")

    schedule = Schedule("purge", act, every_s=0.01)
    schedule.start()
    try:
        assert begun.acquire(timeout=30)
        # The third attempt begins when the second has failed.
        assert begun.acquire(timeout=30)
        assert begun.acquire(timeout=30)
        assert not schedule.is_well()
        is_broken.clear()
        while not schedule.is_well():
            assert begun.acquire(timeout=30)
    finally:
        schedule.stop()


def test_metrics_count_tasks_by_type_and_outcome(alone: RunningMock, transport: str) -> None:
    picture = png()
    with talking(alone, transport, "key") as talker:
        assert talker.ask(upload(picture)).item
        assert talker.ask(upload("no picture")).errors
    found = metrics(alone)
    assert found[sample("tasks_total", "imageUpload", "success")] == 1
    assert found[sample("tasks_total", "imageUpload", "error")] == 1
    assert found[sample("task_duration_seconds_count", "imageUpload")] == 2
    assert found[sample("task_duration_seconds_bucket", "imageUpload", "+Inf")] == 2
    assert found[sample("task_duration_seconds_sum", "imageUpload")] > 0
    assert found[sample("sent_bytes_total")] == len(picture)
    assert (found[sample("media")], found[sample("stored_bytes")]) == (1, len(picture))


def test_metrics_tell_sockets_memory_and_what_was_purged(alone: RunningMock) -> None:
    with talking_ws(alone, "key") as talker:
        assert talker.ask(upload(png())).item
        assert metrics(alone)[sample("sockets")] == 1
    headers = {"Authorization": "Bearer key"}
    plain.post(f"{alone.url}/_mock/clock/advance", json={"by": "31d"}, headers=headers).raise_for_status()
    found = metrics(alone)
    assert found[sample("purged_media_total")] == 1
    assert found[sample("tasks_waiting")] == 0
    assert found[sample("memory_budget_bytes")] == alone.services.settings.memory_budget()
    assert found[sample("memory_reserved_bytes")] == 0


def test_task_types_that_clients_make_up_do_not_fill_the_metrics(alone: RunningMock) -> None:
    with talking(alone, "rest", "key") as talker:
        for number in range(100):
            assert talker.ask(upload(png(), taskType=f"made up {number}")).errors
    found = metrics(alone)
    assert found[sample("tasks_total", "other", "error")] == 36
    assert sample("tasks_total", "made up 99", "error") not in found


def test_debug_lines_name_the_task_and_never_the_key(tmp_path: Path) -> None:
    log, task = tmp_path / "log", upload(png())
    arguments = ("--log-format", "json", "--log-level", "debug")
    with log.open("w") as file, mock_process_logging(file, tmp_path, *arguments) as server:
        with rest(server.url) as talker:
            assert talker.ask(task).item
        server.stop()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("taskUUID") == task["taskUUID"]]
    assert line["message"] == "imageUpload success over rest"


def test_every_panel_of_the_dashboard_asks_for_a_metric_that_there_is(alone: RunningMock) -> None:
    with talking(alone, "rest", "key") as talker:
        assert talker.ask(upload(png())).item
    families = {
        sample_of.name
        for family in text_string_to_metric_families(plain.get(f"{alone.url}/metrics").text)
        for sample_of in family.samples
    }
    # Until a fault is met it has no sample.
    families.add("runware_mock_faults_met_total")
    dashboard = json.loads((Path(__file__).parents[1] / "docs" / "grafana.json").read_text())
    asked = re.findall(r"runware_mock_\w+", json.dumps([panel["targets"] for panel in dashboard["panels"]]))
    assert set(asked) <= families
    assert len(set(asked)) >= 10
    # Several servers are one service: what each counts is added up, what is in the database they share is not.
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            is_shared = re.search("runware_mock_(media|stored_bytes)", target["expr"])
            assert target["expr"].startswith(("max(",) if is_shared else ("sum", "count(", "histogram_quantile("))
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
