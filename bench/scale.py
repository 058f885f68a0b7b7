"""`python -m bench.scale`: the mock with nothing stored, and with up to a million media."""

import argparse
import os
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import islice, product
from pathlib import Path
from statistics import median

import httpx
from sqlalchemy import insert, select

from bench import install
from bench.asking import KEY
from bench.driver import run_load
from bench.measure import percentile
from bench.peers import MOCK, Server, started
from bench.report import laid, versions
from bench.stolen import MOST_SHARE, TRIES, undisturbed
from bench.workloads import BY_NAME
from runware_mock.ids import random_uuid
from runware_mock.storage.schema import prepare
from runware_mock.storage.sqlite import FILE_NAME, SqliteDatabase
from runware_mock.storage.tables import account, content, content_digest, medium

RESULTS = Path(__file__).with_name("SCALE.md")
SIZES = (0, 10_000, 100_000, 1_000_000)
PIECE = 20_000
CONTENT_BYTES = 600
DAY_MS = 86_400_000
STARTS = 7
# A p99 is that of the machine's worst moments: of three rounds, two may have one.
ROUNDS = 7
REQUESTS = 1500
ALONE = replace(BY_NAME["tiny"], connections=1)
AUTHORIZATION = {"Authorization": f"Bearer {KEY}"}
GROWTH_LIMIT = 1.3
PURGE_LIMIT_PER_S = 15_000
PURGING_P99_LIMIT_MS = 25
DISK_LIMIT = 1.1


def fill(folder: Path, media: int) -> None:
    """Store so many media, each with a content of its own; the older half was last used 29 days and a half ago."""
    folder.mkdir(parents=True)
    # An upload before opens the account under its key.
    with started(MOCK, folder) as server:
        run_load(server.endpoint, BY_NAME["tiny"], 0)
    database = SqliteDatabase(folder / FILE_NAME, "OFF")
    prepare(database)
    now_at = int(time.time() * 1000)
    with database.reading() as connection:
        account_id = connection.core.scalar(select(account.c.id))
        last_id = connection.core.scalar(select(content.c.id).order_by(content.c.id.desc()).limit(1)) or 0
    for ids in pieces(last_id, media):
        with database.writing() as connection:
            rows = [content_row(number, now_at) for number in ids]
            connection.core.execute(insert(content), rows)
            digests = [{"sent_sha256": row["sent_sha256"], "content_id": row["id"]} for row in rows]
            connection.core.execute(insert(content_digest), digests)
            connection.core.execute(
                insert(medium),
                [medium_row(number, account_id, now_at, is_old=number - last_id <= media // 2) for number in ids],
            )
    database.close()


def pieces(last_id: int, media: int) -> Iterator[list[int]]:
    """Cut the ids of so many rows into pieces."""
    ids = iter(range(last_id + 1, last_id + 1 + media))
    while piece := list(islice(ids, PIECE)):
        yield piece


def content_row(number: int, now_at: int) -> dict[str, object]:
    """Return a content that no upload brings again."""
    sizes = dict.fromkeys(("width_px", "height_px", "sent_width_px", "sent_height_px", "frames", "orientation"), 1)
    digest, data = os.urandom(32), os.urandom(CONTENT_BYTES)
    lengths = {"size_bytes": CONTENT_BYTES, "sent_size_bytes": CONTENT_BYTES}
    return {
        **sizes,
        **lengths,
        "id": number,
        "format": "png",
        "sent_sha256": digest,
        "created_at": now_at,
        "bytes": data,
    }


def medium_row(number: int, account_id: object, now_at: int, *, is_old: bool) -> dict[str, object]:
    """Return a medium of that content."""
    used_at = now_at - (59 * DAY_MS // 2 if is_old else DAY_MS) + number % DAY_MS // 1000
    return {
        "uuid": random_uuid(used_at),
        "account_id": account_id,
        "content_id": number,
        "task_type": "imageUpload",
        "created_at": used_at,
        "last_used_at": used_at,
    }


def start_ms(folder: Path) -> float:
    """Return the time from spawn to the first upload."""
    with started(MOCK, folder) as server:
        run_load(server.endpoint, BY_NAME["tiny"], 0)
        return (time.perf_counter() - server.spawned_s) * 1000


def p99_ms(call: Callable[[], object]) -> float:
    """Return the p99 of many calls, one after the other."""
    times = []
    for _ in range(REQUESTS):
        began_s = time.perf_counter()
        call()
        times.append((time.perf_counter() - began_s) * 1000)
    return percentile(times, 99)


def upload_p99_ms(server: Server) -> float:
    """Return the p99 of tiny uploads, one after the other."""
    load = run_load(server.endpoint, ALONE, 3.0)
    return percentile(load.latencies_s, 99) * 1000


def use_p99_ms(folder: Path, client: httpx.Client) -> float:
    """Return the p99 of tasks that name a stored medium, which renews its last use."""
    query = "SELECT uuid FROM medium ORDER BY random() LIMIT ?"
    with sqlite3.connect(folder / FILE_NAME) as database:
        uuids = [row[0] for row in database.execute(query, (REQUESTS,))]
    turns = (uuids * (REQUESTS // len(uuids) + 1)).__iter__()

    def use() -> None:
        task = {"taskType": "imageUpload", "taskUUID": str(uuid.uuid4())}
        url = f"{client.base_url}/image/ii/{next(turns)}.png"
        client.post("/v1", json=[{**task, "image": url}]).raise_for_status()

    return p99_ms(use)


def gallery_ms(client: httpx.Client) -> float:
    """Return the median time of the page's first view."""
    times = []
    for _ in range(15):
        began_s = time.perf_counter()
        client.get("/", headers={"Accept": "text/html"}).raise_for_status()
        times.append((time.perf_counter() - began_s) * 1000)
    return median(times)


def purge(server: Server, client: httpx.Client) -> tuple[float, float]:
    """Let half expire and purge them while uploads go on; return rows a second, and the uploads' p99 in ms."""
    answers: list[tuple[int, float]] = []
    # The first control call imports what answers it.
    client.get("/_mock/clock").raise_for_status()

    def ask() -> None:
        began_s = time.perf_counter()
        # It moves the clock and purges by it.
        answer = client.post("/_mock/clock/advance", json={"by": "1d"}, timeout=600).raise_for_status().json()
        answers.append((answer["purged"]["media"], time.perf_counter() - began_s))

    purging = threading.Thread(target=ask)
    purging.start()
    latencies_s: list[float] = []
    while purging.is_alive():
        latencies_s += run_load(server.endpoint, ALONE, 0.3).latencies_s
    ((rows, took_s),) = answers
    return rows / took_s, percentile(latencies_s, 99) * 1000


def disk_ratio(folder: Path) -> float:
    """Return how much larger the database's files are than what is in them."""
    taken_bytes = sum(file.stat().st_size for file in folder.glob(f"{FILE_NAME}*"))
    copy = folder / "copy"
    with sqlite3.connect(folder / FILE_NAME) as database:
        database.execute("VACUUM INTO ?", (str(copy),))
    live_bytes = copy.stat().st_size
    copy.unlink()
    return taken_bytes / live_bytes


def purge_copied(folder: Path, scratch: Path) -> dict[str, float]:
    """Purge half of a copy of a database, and return what came of it."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(folder, scratch)
    with started(MOCK, scratch) as server, client_of(server) as client:
        upload_p99_ms(server)
        rows_per_s, p99 = purge(server, client)
    return {"purge rows/s": rows_per_s, "upload p99 ms while purging": p99, "disk / live data": disk_ratio(scratch)}


def client_of(server: Server) -> httpx.Client:
    """Return a client of a server."""
    return httpx.Client(base_url=server.endpoint.url, headers=AUTHORIZATION)


def measure(folders: Mapping[int, Path], scratch: Path) -> dict[int, dict[str, float]]:
    """Return every figure at every size: in turns, so that a slow minute of the machine is one of all of them."""
    rounds: dict[int, dict[str, list[float]]] = {media: defaultdict(list) for media in folders}

    def take(media: int, name: str, figure: Callable[[], float]) -> None:
        rounds[media][name].append(undisturbed(figure, say))

    for _ in range(STARTS):
        for media, folder in folders.items():
            take(media, "start ms", partial(start_ms, folder))
    with ExitStack() as stack:
        servers = {media: stack.enter_context(started(MOCK, folder)) for media, folder in folders.items()}
        clients = {media: stack.enter_context(client_of(server)) for media, server in servers.items()}
        for server in servers.values():
            upload_p99_ms(server)
        figures: dict[str, Callable[[int], float]] = {
            "upload p99 ms": lambda media: upload_p99_ms(servers[media]),
            "use p99 ms": lambda media: use_p99_ms(folders[media], clients[media]),
            "gallery ms": lambda media: gallery_ms(clients[media]),
        }
        order = list(folders)
        for _ in range(ROUNDS):
            # What is compared is measured within seconds, and nobody is always the last.
            for name, media in product(figures, order):
                take(media, name, partial(figures[name], media))
            order.append(order.pop(0))
    found = {media: {name: median(figures) for name, figures in taken.items()} for media, taken in rounds.items()}
    for media, folder in folders.items():
        if media:
            found[media] |= undisturbed(partial(purge_copied, folder, scratch), say)
        say(f"{media:,} media: {found[media]}")
    return found


def say(line: str) -> None:
    """Tell how far it is."""
    print(line, file=sys.stderr, flush=True)


def broken(found: dict[int, dict[str, float]]) -> Iterator[str]:
    """Say what limit is missed."""
    least, most = found[min(found)], found[max(found)]
    for name in ("start ms", "upload p99 ms", "use p99 ms", "gallery ms"):
        if most[name] > GROWTH_LIMIT * least[name]:
            yield f"{name} grows {most[name] / least[name]:.2f}x (at most {GROWTH_LIMIT}x)"
    if most["purge rows/s"] < PURGE_LIMIT_PER_S:
        yield f"purge at {most['purge rows/s']:.0f} rows/s (at least {PURGE_LIMIT_PER_S})"
    if most["upload p99 ms while purging"] > PURGING_P99_LIMIT_MS:
        yield f"upload p99 {most['upload p99 ms while purging']:.1f} ms while purging (at most {PURGING_P99_LIMIT_MS})"
    if most["disk / live data"] > DISK_LIMIT:
        yield f"disk at {most['disk / live data']:.2f} of the live data (at most {DISK_LIMIT})"


def main() -> int:
    """Measure, print, and return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="the largest number of media")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    arguments = parser.parse_args()
    install.main()
    with tempfile.TemporaryDirectory() as root:
        folders = {media: Path(root) / str(media) for media in SIZES if media <= arguments.most}
        for media, folder in folders.items():
            fill(folder, media)
        found = measure(folders, Path(root) / "copy")
    names = list(found[max(found)])
    lines = [
        [name, *(f"{found[media][name]:.4g}" if name in found[media] else "" for media in found)] for name in names
    ]
    missed = list(broken(found))
    said = "\n".join(f"MISSED: {line}" for line in missed) or "all limits kept"
    quiet = f"In turns; where the host took over {MOST_SHARE:.0%} of the time, the quietest of up to {TRIES}"
    report = "\n".join((*versions(), quiet, "", *laid(["", *(f"{media:,} media" for media in found)], lines), "", said))
    print(report)
    if arguments.write:
        RESULTS.write_text(f"# Results of `make bench-scale`\n\n{report}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
