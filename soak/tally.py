"""The balance of a run of replicas: what was answered against what is there."""

import json
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from runware_mock.clock import in_ms
from soak.balance import Balance
from soak.ledger import NEED_TROUBLE, REFUSED, UNANSWERED, UNCLEAR, Outcome
from soak.replica import logged
from soak.sdk_clients import RAW
from soak.trouble import KILL, MOVE, RESTART
from soak.witness import Removed

if TYPE_CHECKING:
    from soak.replicas import Ran

_RETENTION_MS = in_ms(timedelta(days=30))
# Between a clock's row and its commit.
_COMMIT_MS = 2000
_PURGED = re.compile(r"purged (\d+) expired media")
_AWAY = ("OperationalError", "AdminShutdown", "InterfaceError", "DisconnectionError", "CrashShutdown", "Shutdown")
_ABOUT = (
    "Written by `make replicas ARGS=--write`: replicas of `runware-mock serve` on one PostgreSQL and one S3 stand-in, "
    "used by the official SDKs while they are killed with -9 and started again one after the other, and the database "
    "is restarted. What counts is what was answered. Triggers in the database, of which the product knows nothing, "
    "witness each medium that comes and goes, and what its account's clock showed then."
)


Media = dict[str, Removed]


class _Clocks:
    """What each account's clock was ahead of the real one, by the witness."""

    def __init__(self, ran: "Ran") -> None:
        self._moves: dict[int, list[tuple[int, int]]] = defaultdict(list)
        sql = "SELECT account_id, real_at, offset_ms FROM witness.clock ORDER BY real_at"
        for account_id, real_at, offset_ms in ran.ground.witness.rows(sql):
            self._moves[account_id].append((real_at, offset_ms))

    def offset_ms(self, account_id: int, real_at: int) -> int:
        moves = self._moves[account_id]
        place = bisect_right(moves, real_at, key=lambda move: move[0])
        return moves[place - 1][1] if place else 0


def drawn_up(ran: "Ran") -> Balance:
    """Return the balance of a run."""
    minutes = f"{ran.seconds / 60:.1f} minutes"
    balance = Balance(f"{ran.plan.replicas} replicas under fire", _ABOUT)
    trouble = ran.trouble
    balance.tell("ran for", minutes)
    balance.tell("replicas killed with -9", trouble.count(KILL))
    balance.tell("restarts of the database", trouble.count(RESTART))
    balance.tell("clocks moved by " + ran.plan.leap, trouble.count(MOVE))
    removed = ran.ground.witness.removed()
    sql = "SELECT uuid, account_id, last_used_at, expires_at, 0 FROM medium"
    media = {one.uuid: one for one in (*removed, *(Removed(*row) for row in ran.ground.witness.rows(sql)))}
    _of_answers(balance, ran, media)
    _of_failures(balance, ran, media)
    _of_purges(balance, ran, removed)
    _of_plans(balance, ran)
    _of_storage(balance, ran)
    _of_webhooks(balance, ran)
    _of_logs(balance, ran)
    return balance


def _of_answers(balance: Balance, ran: "Ran", media: Media) -> None:
    witness, ledger = ran.ground.witness, ran.ledger
    for sdk in (*ran.plan.sdks, RAW):
        balance.tell(f"{sdk}: uploads, uses", f"{ledger.count('upload', sdk=sdk):,}, {ledger.count('use', sdk=sdk):,}")
    of_sdks = sum(ledger.count("upload", "use", sdk=sdk) for sdk in ran.plan.sdks)
    wanted = ran.plan.uploads_and_uses
    balance.hold("uploads and uses answered to the SDKs", f"{of_sdks:,} (at least {wanted:,})", of_sdks >= wanted)
    sql = "SELECT uuid, account_id FROM witness.added WHERE task_type = 'imageUpload'"
    added: dict[str, int] = dict(witness.rows(sql))
    uploads = list(ledger.answered("upload"))
    accounts = ran.settled.accounts
    lost = [one for one in uploads if added.get(one.uuid or "") != accounts[one.key]]
    balance.none("answered uploads that were never stored, or elsewhere", lost, len(uploads))
    named = Counter(one.uuid for one in uploads)
    # An SDK that sends again what it has the answer of already is told the same.
    tasks = {(one.uuid, one.task_uuid) for one in uploads}
    balance.equal("imageUUIDs given to one upload only", len(tasks), len(named))
    balance.none("read back at the end and not whole, or another picture", ran.settled.spoiled, ran.settled.read)
    done = set(witness.strings("SELECT task_uuid FROM journal WHERE outcome = 'success'"))
    answered = list(ledger.answered("upload", "use", "delete"))
    unknown = [one for one in answered if one.task_uuid not in done]
    balance.none("answered and not in the journal", unknown, len(answered))
    of_uploads = witness.count("SELECT count(*) FROM journal WHERE outcome='success' AND task_type='imageUpload'")
    balance.equal("uploads in the journal, of media that were ever stored", of_uploads, len(added))
    balance.tell("stored, but the answer was lost with a replica", len(added) - len(named))
    clocks = _Clocks(ran)
    uses = list(ledger.answered("use"))
    forgotten = []
    for one in uses:
        began_at = int(one.began_s * 1000)
        least = began_at + clocks.offset_ms(accounts[one.key], began_at - _COMMIT_MS)
        if one.uuid not in media or media[one.uuid].last_used_at < least:
            forgotten.append(one)
    balance.none("answered uses that were not written", forgotten, len(uses))


def _of_failures(balance: Balance, ran: "Ran", media: Media) -> None:
    failed = [one for one in ran.ledger.outcomes if not one.is_answered]
    for kind, number in sorted(Counter(one.kind for one in failed).items()):
        balance.tell(f"calls failed: {kind}", number)
    balance.none("calls failed in no clear way", [one for one in failed if one.kind.startswith(UNCLEAR)])

    waited = [one for one in failed if one.sdk == RAW and one.kind == UNANSWERED]
    balance.none("plain REST calls that waited in vain", waited)
    balance.none(
        "calls failed while nothing was wrong with their replica",
        [
            one
            for one in failed
            if one.kind in NEED_TROUBLE and not ran.trouble.explains(one.replica, one.key, one.began_s, one.ended_s)
        ],
    )
    clocks, accounts = _Clocks(ran), ran.settled.accounts

    def had_expired(one: Outcome) -> bool:
        ended_at = int(one.ended_s * 1000)
        now_at = ended_at + clocks.offset_ms(accounts[one.key], ended_at)
        return one.uuid in media and _has_expired(media[one.uuid], now_at)

    early = [one for one in failed if one.kind == REFUSED and not had_expired(one)]
    balance.none("uses refused though the medium had not expired", early)


def _of_purges(balance: Balance, ran: "Ran", removed: list[Removed]) -> None:
    sql = "SELECT answer FROM journal WHERE outcome = 'success' AND task_type = 'mediaStorage'"
    deleted = {str(item.get("mediaUUID")) for text in ran.ground.witness.strings(sql) for item in json.loads(text)}
    expired = [one for one in removed if _has_expired(one, one.now_at)]
    due = {one.uuid for one in expired}
    early = [one for one in removed if one.uuid not in due | deleted]
    balance.tell("media deleted by a task", len(deleted))
    balance.none("media purged before their account's clock had come so far", early, len(expired))
    twice = [uuid for uuid, times in Counter(one.uuid for one in removed).items() if times > 1]
    balance.none("media removed twice", twice)
    balance.none("media told as purged by two answers", _repeated(ran.trouble.told.purged_uuids))
    by_log = sum(
        int(match[1]) for replica in ran.ground.replicas for line in replica.lines() if (match := _PURGED.search(line))
    )
    told, lost = by_log + ran.trouble.told.purged, trouble_count(ran)
    silent = len(expired) - told
    balance.tell("purged by the schedule, by answers", f"{by_log:,}, {ran.trouble.told.purged:,}")
    balance.hold(
        f"purged, and told by nobody since the replica or the database was away ({lost} times)",
        silent,
        is_held=silent == 0 or (silent > 0 and lost > 0),
    )
    balance.none("expired and still served", ran.settled.served_though_gone)


def _has_expired(one: Removed, now_at: int) -> bool:
    has_ended = one.expires_at is not None and one.expires_at <= now_at
    return has_ended or one.last_used_at + _RETENTION_MS <= now_at


def trouble_count(ran: "Ran") -> int:
    """Return how often a purge may have been cut off."""
    return ran.trouble.count(KILL) + ran.trouble.count(RESTART)


def _repeated(values: list[str]) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1]


def _of_plans(balance: Balance, ran: "Ran") -> None:
    planned, met = ran.trouble.told.planned, ran.settled.plans
    wrong = [f"{name}: {met.get(name)} of {times}" for name, (_, times) in planned.items() if met.get(name) != times]
    balance.none("fault plans not met exactly as often as planned", wrong, len(planned))
    balance.equal("fault plans there", len(met), len(planned))
    balance.equal("faults met", sum(met.values()), sum(times for _, times in planned.values()))
    seen = Counter(match[1] for one in ran.ledger.outcomes if (match := re.search(r"planned by (\S+?)\.", one.message)))
    often = [name for name, times in seen.items() if times > planned[name][1]]
    balance.none("plans whose error was answered more often than planned", often, len(seen))


def _of_storage(balance: Balance, ran: "Ran") -> None:
    witness, objects = ran.ground.witness, ran.settled.objects
    keys = set(witness.strings("SELECT object_key FROM content WHERE object_key IS NOT NULL"))
    media = witness.count("SELECT count(*) FROM medium")
    balance.tell(
        "contents that were dropped, and objects with them", witness.count("SELECT count(*) FROM witness.dropped")
    )
    balance.tell("media, contents at the end", f"{media:,}, {len(keys):,}")
    balance.tell("objects without a row, collected: their replica was killed in between", ran.settled.orphans)
    balance.none("objects without a row", sorted(objects - keys), len(objects))
    balance.none("rows without an object", sorted(keys - objects), len(keys))
    unused = "SELECT id FROM content WHERE NOT EXISTS (SELECT FROM medium WHERE content_id = content.id)"
    balance.none("contents that no medium points at", witness.strings(unused))


def _of_webhooks(balance: Balance, ran: "Ran") -> None:
    sql = "SELECT task_uuid FROM journal WHERE outcome = 'success' AND task LIKE '%webhookURL%'"
    results, called = set(ran.ground.witness.strings(sql)), ran.ground.hooks.called
    balance.none("webhooks never called", sorted(results - called.keys()), len(results))
    balance.none("webhooks called without a result", sorted(called.keys() - results))
    again = {path: times for path, times in called.items() if len(times) > 1}
    unexplained = [
        path for path, times in again.items() if not ran.trouble.was_there((KILL, RESTART), min(times), max(times))
    ]
    balance.tell("webhooks called again: who had called was killed before it could write that", len(again))
    balance.none("webhooks called again while nothing was wrong", unexplained)


def _of_logs(balance: Balance, ran: "Ran") -> None:
    levels: Counter[str] = Counter()
    wrong = []
    for replica in ran.ground.replicas:
        for at_s, level, text in logged(replica.lines()):
            if level not in {"WARNING", "ERROR", "CRITICAL"}:
                continue
            levels[level] += 1
            database_was_away = ran.trouble.was_there((RESTART,), at_s, at_s)
            if not database_was_away or ("Traceback" in text and not any(name in text for name in _AWAY)):
                wrong.append(f"replica {replica.number}: {text[:300]} … {text[-600:]}")
    balance.tell("warnings, errors in the logs", f"{levels['WARNING']:,}, {levels['ERROR'] + levels['CRITICAL']:,}")
    balance.none("of them not explained by the database being away", wrong)
    balance.none("replicas that did not stop with status 0", [s for s in ran.settled.statuses if s != 0])
