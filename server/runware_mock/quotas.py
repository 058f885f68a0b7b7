"""Optional limits of what one account may store and ask for; the counts are in the database.

Guess: the real service documents neither a quota of storage nor a limit of requests ("no hard rate limits").
"""

import math

from sqlalchemy import Connection, insert, select, update

from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.settings import Settings
from runware_mock.storage import media
from runware_mock.storage.database import Database
from runware_mock.storage.media import Moment, Totals
from runware_mock.storage.models import quota_bucket

_MINUTE_MS = 60_000


class Quotas:
    """Checks each account's quotas without reading or writing other accounts; `is_on` if there are any."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._limits_storage = settings.quota_media is not None or settings.quota_bytes is not None
        self.is_on = self._limits_storage or settings.quota_tasks_per_minute is not None

    def refusal(self, account_id: int, moment: Moment, *, stores: bool) -> Refusal | None:
        """Count a task about to begin; return the refusal if it must not, or if it `stores` and there is no room."""
        if (most := self._settings.quota_tasks_per_minute) is not None:
            wait_s = self._wait_s(account_id, moment.now_at, most)
            if wait_s:
                hint = f"{most} tasks a minute are accepted (--quota-tasks-per-minute)."
                return refuse("rateLimitExceeded", hint).but(retry_after_s=wait_s)
        if not (stores and self._limits_storage):
            return None
        with self._database.reading() as connection:
            stored = media.count_stored(connection, account_id, moment)
        return self._over(Totals(stored.media + 1, stored.size_bytes + 1), stored)

    def check(self, connection: Connection, account_id: int, moment: Moment) -> None:
        """Raise the refusal of a task that has exceeded the storage quota, so that nothing of it is stored."""
        if self._limits_storage:
            stored = media.count_stored(connection, account_id, moment)
            if refusal := self._over(stored, stored):
                raise refusal

    def _over(self, wanted: Totals, told: Totals) -> Refusal | None:
        most_media, most_bytes = self._settings.quota_media, self._settings.quota_bytes
        if most_media is not None and wanted.media > most_media:
            return refuse("storageQuotaExceeded", f"{most_media} media may be stored (--quota-media).")
        if most_bytes is not None and wanted.size_bytes > most_bytes:
            hint = f"{most_bytes} bytes may be stored (--quota-bytes), this makes {told.size_bytes}."
            return refuse("storageQuotaExceeded", hint)
        return None

    def _wait_s(self, account_id: int, now_at: int, most: int) -> int:
        """Take a token from the account's bucket of `most`, which fills in a minute; return how long it is empty."""
        is_own = quota_bucket.c.account_id == account_id
        with self._database.writing(account_id) as connection:
            row = connection.execute(select(quota_bucket.c.tokens, quota_bucket.c.counted_at).where(is_own)).first()
            tokens = float(most)
            if row is not None:
                tokens, counted_at = row
                waited_ms = now_at - counted_at
                # Clocks of processes differ a little; one set back by more would otherwise lock the account out.
                waited_ms = _MINUTE_MS if waited_ms < -_MINUTE_MS else max(0, waited_ms)
                tokens = min(float(most), tokens + waited_ms * most / _MINUTE_MS)
            if tokens < 1:
                return max(1, math.ceil((1 - tokens) * _MINUTE_MS / most / 1000))
            left = {"tokens": tokens - 1, "counted_at": now_at}
            if row is None:
                connection.execute(insert(quota_bucket), {"account_id": account_id, **left})
            else:
                connection.execute(update(quota_bucket).where(is_own).values(left))
        return 0
