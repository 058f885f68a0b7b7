"""The balance of a soak: what was sent against what was answered, and what should be there against what is."""

import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from runware_mock.client.control import ControlClient
from soak.balance import Balance
from soak.chores import Books
from soak.lanes import Faulty, Idle, Leaping
from soak.replica import Replica, logged
from soak.talkers import WsTalker
from soak.vitals import disk_bytes

if TYPE_CHECKING:
    from soak.__main__ import Ran

_READERS = 4
_GROWTH = 1.1
# Pages, indexes and the schema itself, over and above the bytes of pictures and of the journal.
_OVERHEAD, _OVERHEAD_BYTES = 1.25, 4 * 2**20
_ABOUT = (
    "Written by `make soak ARGS=--write`: one server with many WebSockets, most of them nearly idle, others and REST "
    "clients uploading, using and deleting pictures of all formats and sizes, and garbage, with fault plans, snapshots "
    "and leaps of the clock that let everything expire."
)


@dataclass(frozen=True)
class Kept:
    """What the server has for all accounts: `wrong` tells of what is not as the books say."""

    media: int
    entries: int
    read: int
    wrong: list[str] = field(default_factory=list)
    wrong_entries: list[str] = field(default_factory=list)


def kept(server: Replica, books: Mapping[str, Books]) -> Kept:
    """Ask the server for everything that it should have, and read every picture back."""
    media = entries = 0
    wrong, wrong_entries = [], []
    for of in books.values():
        with ControlClient(server.url, of.key, timeout_s=120) as control:
            there = control.media.list(limit=1, state="all").json["total"]
            written = control.journal.count()
        media += there
        entries += written
        if there != len(of.media):
            wrong.append(f"{of.key}: {there} media, not {len(of.media)}")
        if written != of.entries:
            wrong_entries.append(f"{of.key}: {written} entries, not {of.entries}")
    with ControlClient(server.url, timeout_s=120) as control:
        control.purge()
    expected = [(uuid, picture) for of in books.values() for uuid, picture in of.media.items()]
    with httpx.Client(timeout=120, trust_env=False) as client, ThreadPoolExecutor(_READERS) as pool:

        def problem(uuid: str) -> bool:
            answer = client.get(f"{server.url}/image/ii/{uuid}.png")
            picture = pictures[uuid]
            return answer.status_code != httpx.codes.OK or (picture is not None and not picture.is_this(answer.content))

        pictures = dict(expected)
        wrong += [uuid for uuid, is_wrong in zip(pictures, pool.map(problem, pictures), strict=True) if is_wrong]
    return Kept(media, entries, len(expected), wrong, wrong_entries)


def drawn_up(ran: "Ran", folder: Path) -> Balance:
    """Return the balance of a soak whose server has stopped."""
    minutes = f"{ran.plan.minutes:g} minutes, {ran.plan.workers} process{'es' if ran.plan.workers > 1 else ''}"
    balance = Balance("A server under everything at once", _ABOUT)
    balance.tell("ran for", minutes)
    _of_answers(balance, ran)
    _of_storage(balance, ran, folder)
    _of_vitals(balance, ran)
    records = [(level, text) for _, level, text in logged(ran.server.lines()) if level != "INFO"]
    balance.none("warnings and errors in the log", [f"{level} {text[:300]}" for level, text in records])
    balance.hold("exit status", ran.status or 0, ran.status == 0)
    return balance


def _of_answers(balance: Balance, ran: "Ran") -> None:
    books = list(ran.books.values())
    sockets = [lane.talker for lane in ran.lanes if isinstance(lane.talker, WsTalker)]
    idle = [lane for lane in ran.lanes if isinstance(lane, Idle)]
    balance.tell("WebSockets, of these nearly idle", f"{len(sockets):,}, {len(idle):,}")
    balance.tell("accounts", len(books))
    planned = sum(of.planned for of in books)
    balance.tell("tasks met by a planned fault instead of an answer", planned)
    balance.equal("tasks answered or met by their fault", sum(of.answered for of in books) + planned, _sent(books))
    balance.none("answers that are wrong or missing", [one for of in books for one in of.wrong])
    balance.equal("pongs", sum(lane.talker.pongs for lane in idle if isinstance(lane.talker, WsTalker)), _pings(idle))
    balance.equal("answers that came once too often", sum(lane.talker.extra for lane in ran.lanes), 0)
    broken = [lane for lane in ran.lanes if isinstance(lane.talker, WsTalker) and lane.talker.breaks]
    unplanned = [lane.books.key for lane in broken if not isinstance(lane, Faulty)]
    balance.none("sockets that broke without a plan", unplanned, len(sockets))


def _sent(books: list[Books]) -> int:
    return sum(of.sent for of in books)


def _pings(idle: list[Idle]) -> int:
    return sum(lane.pings for lane in idle)


def _of_storage(balance: Balance, ran: "Ran", folder: Path) -> None:
    assert ran.kept is not None
    expected = sum(len(of.media) for of in ran.books.values())
    balance.tell("media purged by leaps", sum(lane.purged for lane in ran.lanes if isinstance(lane, Leaping)))
    balance.equal("media stored, of those expected", ran.kept.media, expected)
    balance.none("of them not as sent, or not there", ran.kept.wrong, ran.kept.read)
    balance.equal(
        "journal entries, of tasks that leave one", ran.kept.entries, sum(b.entries for b in ran.books.values())
    )
    balance.none("accounts with other entries", ran.kept.wrong_entries, len(ran.books))
    database = sqlite3.connect(next(folder.glob("*.sqlite3")))

    def count(sql: str) -> int:
        return int(database.execute(sql).fetchone()[0] or 0)

    try:
        balance.equal("rows of media", count("SELECT count(*) FROM medium"), expected)
        pointed_at = count("SELECT count(DISTINCT content_id) FROM medium")
        balance.equal("contents, of those that media point at", count("SELECT count(*) FROM content"), pointed_at)
        pictures = count("SELECT sum(size_bytes) FROM content")
        live = pictures + count("SELECT sum(length(task) + length(answer) + coalesce(length(audit), 0)) FROM journal")
        entries = count("SELECT count(*) FROM journal")
        free = count("PRAGMA freelist_count")
    finally:
        database.close()
    disk = disk_bytes(folder)
    most = int((live + entries * 400) * _OVERHEAD) + _OVERHEAD_BYTES
    balance.tell("bytes on disk at most", _mib(ran.most_disk_bytes))
    balance.hold("bytes on disk at the end, of live data", f"{_mib(disk)}, {_mib(live)}", disk <= most)
    balance.equal("free pages in the database", free, 0)


def _of_vitals(balance: Balance, ran: "Ran") -> None:
    second, last = ran.vitals.fifth(2), ran.vitals.fifth(5)
    balance.hold("memory in the second fifth, in the last", f"{second:.0f}, {last:.0f} MiB", last <= second * _GROWTH)
    balance.tell("memory while idle, before, after", f"{_mib(ran.idle_before_bytes)}, {_mib(ran.idle_after_bytes)}")
    before, after = ran.files_before, ran.files_after
    balance.hold("open sockets before, after", f"{before['socket']}, {after['socket']}", _is_back(ran, "socket"))
    balance.hold("other open files before, after", f"{before['other']}, {after['other']}", _is_back(ran, "other"))
    # A pool keeps its connections open, at most 64 in each process, each with the file and its log.
    most = 64 * 2 * ran.plan.workers + 2
    is_held = after["database"] <= most
    balance.hold("open files of the database before, after", f"{before['database']}, {after['database']}", is_held)


def _is_back(ran: "Ran", kind: str) -> bool:
    return ran.files_after[kind] <= ran.files_before[kind]


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.1f} MiB"
