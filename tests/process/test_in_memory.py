"""`--in-memory` leaves nothing on disk."""

from pathlib import Path

from tests.process import scenes
from tests.process.clients import fetched, rest
from tests.running import MockProcess, mock_process
from tests.talking import upload


def use_and_stop(server: MockProcess) -> None:
    with rest(server.url) as talker:
        item = talker.ask(upload(scenes.heavy(1))).item
    assert fetched(server.url, item["imageURL"]).content == scenes.heavy(1)
    assert server.stop() == ""
    assert server.process.returncode == 0


def test_nothing_is_left_of_a_server_in_memory(tmp_path: Path) -> None:
    data, temporary = tmp_path / "data", tmp_path / "temporary"
    data.mkdir()
    temporary.mkdir()
    with mock_process(data, "--in-memory", TMPDIR=str(temporary)) as server:
        use_and_stop(server)
    assert list(data.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_everything_is_left_of_a_server_with_a_data_folder_and_nothing_beside_it(tmp_path: Path) -> None:
    data, temporary = tmp_path / "data", tmp_path / "temporary"
    data.mkdir()
    temporary.mkdir()
    with mock_process(data, TMPDIR=str(temporary)) as server:
        use_and_stop(server)
    assert sorted(file.name for file in data.iterdir()) == ["runware-mock.sqlite3", "runware-mock.sqlite3-reserve"]
    assert list(temporary.iterdir()) == []


def test_a_second_server_in_memory_knows_nothing_of_the_first(tmp_path: Path) -> None:
    with mock_process(tmp_path, "--in-memory") as server:
        with rest(server.url) as talker:
            item = talker.ask(upload(scenes.small(1))).item
        server.stop()
    with mock_process(tmp_path, "--in-memory") as server:
        assert fetched(server.url, item["imageURL"]).status_code == 404


def test_what_a_killed_server_in_memory_has_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with mock_process(tmp_path, "--in-memory", TMPDIR=str(temporary)) as server:
        (living,) = temporary.iterdir()
        with mock_process(tmp_path, "--in-memory", TMPDIR=str(temporary)) as killed:
            killed.process.kill()
            killed.process.wait()
        assert len(list(temporary.iterdir())) == 2
        with mock_process(tmp_path, "--in-memory", TMPDIR=str(temporary)) as next_one:
            assert living in temporary.iterdir()
            assert len(list(temporary.iterdir())) == 2
            next_one.stop()
        with rest(server.url) as talker:
            assert talker.ask(upload(scenes.small(1))).item
        server.stop()
    assert list(temporary.iterdir()) == []
