"""What a release leaves behind: `python -m tests.process.release` freezes a database that this version has written."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from runware_mock.storage.migrations import HEAD
from runware_mock.storage.sqlite import FILE_NAME
from tests.control.calling import Calls, calling
from tests.images.painting import one_pixel_gif
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import RestTalker, data_uri, new_uuid, talking, talking_ws, upload

FOLDER = Path(__file__).with_name("releases")
ONE, OTHER = "the-first-key-of-a-release-000000", "another-key-of-a-release-00000000"
# The bytes of the only object; the others are in the dump.
OBJECT = one_pixel_gif(2)
SOUND = b"ID3" + bytes(20)
PLAN: dict[str, Any] = {
    "name": "one refusal",
    "faults": [{"kind": "error", "code": "failedToTransferImage", "task_type": "caption"}],
}
# Nothing is purged and nothing is sent by itself.
QUIET = {"purge_every": "365d", "processing_time": "1h", "fetch": "local"}


@contextmanager
def clients(mock: RunningMock, key: str) -> Iterator[tuple[RestTalker, Calls]]:
    """Open clients of one account."""
    with talking(mock, "rest", key) as talker, calling(mock, key) as control:
        assert isinstance(talker, RestTalker)
        yield talker, control


def write(folder: Path) -> None:
    """Let a server write something into every table, its database in a folder and an object beside it."""
    with running_mock(data_dir=folder, **QUIET) as mock:
        with clients(mock, ONE) as (talker, control):
            first = talker.ask(upload(png(8, 8))).item["imageUUID"]
            talker.ask(upload(png(2100, 8)), upload(png(8, 8)), upload("no picture"))
            talker.ask({"taskType": "mediaStorage", "taskUUID": new_uuid(), "media": data_uri(SOUND)})
            drawn = {"positivePrompt": "a cat", "model": "runware:101@1", "width": 128, "height": 128, "ttl": 86_400}
            talker.ask({"taskType": "imageInference", "taskUUID": new_uuid(), **drawn})
            later = {"deliveryMethod": "async", "webhookURL": "http://127.0.0.1:9/later"}
            talker.ask({"taskType": "caption", "taskUUID": new_uuid(), "inputImage": first, **later})
            only_kept = talker.ask(upload(one_pixel_gif(1))).item["imageUUID"]
            control.post("/snapshots/before")
            control.delete(f"/media/{only_kept}")
            control.post("/faults", **PLAN)
            control.post("/answers", name="an orange one", task_type="imageInference", give={"picture": "orange"})
        with clients(mock, OTHER) as (talker, control):
            talker.ask(upload(png(8, 8)))
            control.post("/media", content=png(9, 9), query={"age": "29d"})
            control.post("/clock/freeze")
            control.post("/clock/advance", by="12h")
        with talking_ws(mock, OTHER) as cut_off:
            cut_off.ask(upload(png(7, 7)))
            cut_off.socket.socket.close()
    objects = (folder / "objects").as_uri()
    with running_mock(data_dir=folder, content_url=objects, **QUIET) as mock, clients(mock, OTHER) as (talker, _):
        talker.ask(upload(OBJECT))


def main() -> None:
    """Write the dump of this version."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        with closing(sqlite3.connect(Path(folder) / FILE_NAME)) as connection:
            dump = "\n".join(connection.iterdump())
    (FOLDER / f"{HEAD}.sql").write_text(dump + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
