"""`python -m bench.page`: the page with 100,000 media, and the control calls that tests make most; absolute figures."""

import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from statistics import median

import httpx
from sqlalchemy import insert, select

from bench import install
from bench.peers import PEERS, started
from runware_mock.storage.schema import prepare
from runware_mock.storage.sqlite import FILE_NAME, SqliteDatabase
from runware_mock.storage.tables import account, content, medium

MEDIA = 100_000
ROUNDS = 15
GALLERY_LIMIT_MS = 100
RESET_LIMIT_MS = 5
AUTHORIZATION = {"Authorization": "Bearer a-key-for-the-bench-0123456789abcdef"}


def fill(folder: Path, now_at: int) -> None:
    """Store so many media of one picture, each used a second after the one before."""
    folder.mkdir(parents=True)
    database = SqliteDatabase(folder / FILE_NAME)
    prepare(database)
    with database.writing() as connection:
        connection.core.execute(insert(account).values(key_hash="0" * 64, label="bench", created_at=now_at))
        picture = dict.fromkeys(("width_px", "height_px", "frames", "size_bytes", "orientation"), 1)
        sent = dict.fromkeys(("sent_size_bytes", "sent_width_px", "sent_height_px"), 1)
        values = {**picture, **sent, "format": "png", "sent_sha256": b"0" * 32, "created_at": now_at, "bytes": b"x"}
        connection.core.execute(insert(content).values(values))
        content_id, account_id = (
            connection.core.scalar(select(content.c.id)),
            connection.core.scalar(select(account.c.id)),
        )
        shared = {"account_id": account_id, "content_id": content_id, "task_type": "imageUpload"}
        connection.core.execute(
            insert(medium),
            [
                {
                    **shared,
                    "uuid": str(uuid.uuid4()),
                    "created_at": now_at + 1000 * n,
                    "last_used_at": now_at + 1000 * n,
                }
                for n in range(MEDIA)
            ],
        )
    database.close()


def median_ms(call: Callable[[], httpx.Response]) -> float:
    """Return the median time of a call, after one that is not counted."""
    call().raise_for_status()
    times = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        call().raise_for_status()
        times.append((time.perf_counter() - began_s) * 1000)
    return median(times)


def main() -> int:
    """Measure, print, and return 1 where a limit is missed."""
    install.main()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "data"
        fill(folder, int(time.time() - MEDIA) * 1000)
        with (
            started(PEERS["mock"], folder) as server,
            httpx.Client(base_url=server.endpoint.url, headers={"Accept": "text/html"}) as browser,
            httpx.Client(base_url=f"{server.endpoint.url}/_mock", headers=AUTHORIZATION) as control,
        ):
            gallery_ms = median_ms(lambda: browser.get("/"))
            filtered_ms = median_ms(lambda: browser.get("/?account=1&format=png"))
            reset_ms = median_ms(lambda: control.post("/reset", json={}))
            control.post("/snapshots/bench").raise_for_status()
            restore_ms = median_ms(lambda: control.post("/snapshots/bench/restore"))
    print(f"gallery of {MEDIA:,} media, first page: {gallery_ms:.1f} ms (at most {GALLERY_LIMIT_MS})")
    print(f"gallery of {MEDIA:,} media, filtered by account and format: {filtered_ms:.1f} ms")
    print(f"reset of one account beside {MEDIA:,} media: {reset_ms:.1f} ms (at most {RESET_LIMIT_MS})")
    print(f"restore of a snapshot: {restore_ms:.1f} ms")
    return 1 if gallery_ms > GALLERY_LIMIT_MS or reset_ms > RESET_LIMIT_MS else 0


if __name__ == "__main__":
    sys.exit(main())
