"""What tasks may ask for, and on whose behalf they run."""

from typing import Literal

from msgspec import Struct

from runware_mock.clock import in_ms
from runware_mock.faults.matching import Faults
from runware_mock.ids import Ids
from runware_mock.images.codec import Codec
from runware_mock.images.fetch import Fetch, Send
from runware_mock.metrics import Metrics
from runware_mock.quotas import Quotas
from runware_mock.settings import Settings
from runware_mock.storage.accounts import Account, Accounts
from runware_mock.storage.blobs import Blobs
from runware_mock.storage.clocks import Clocks
from runware_mock.storage.database import ALL_ACCOUNTS, Database
from runware_mock.storage.journal import Journal
from runware_mock.storage.media import Moment


class Services(Struct, frozen=True):
    """Everything from outside that a task needs, handed in."""

    settings: Settings
    clocks: Clocks
    database: Database
    blobs: Blobs
    accounts: Accounts
    codec: Codec
    faults: Faults
    ids: Ids
    journal: Journal
    quotas: Quotas
    metrics: Metrics
    fetch: Fetch
    send: Send

    def refresh(self) -> None:
        """Learn what control calls have changed, here or in another process."""
        with self.database.reading() as connection:
            self.clocks.refresh(connection)

    def now_at(self, account_id: int = ALL_ACCOUNTS) -> int:
        """Return what an account's clock shows."""
        return self.clocks.now_at(account_id)

    def moment(self, account_id: int = ALL_ACCOUNTS) -> Moment:
        """Return an account's present instant, and which last uses have expired by then."""
        now_at = self.now_at(account_id)
        return Moment(now_at, now_at - in_ms(self.settings.retention))


class Caller(Struct, frozen=True):
    """The client behind a task.

    `base_url` is the server's address as the client knows it, `client` its SDK, `plan` the fault plan it has named.
    """

    account: Account
    transport: Literal["rest", "ws"]
    base_url: str
    dry_run: bool = False
    client: str | None = None
    plan: str | None = None
