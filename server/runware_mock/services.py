"""What tasks may ask for, and on whose behalf they run."""

from dataclasses import dataclass
from typing import Literal

from runware_mock.accounts import Account, Accounts
from runware_mock.clock import Clock, in_ms
from runware_mock.images.codec import Codec
from runware_mock.images.fetch import Fetch, Send
from runware_mock.settings import Settings
from runware_mock.storage.database import Database
from runware_mock.storage.media import Moment


@dataclass(frozen=True, slots=True)
class Services:
    """Everything from outside that a task needs, handed in."""

    settings: Settings
    clock: Clock
    database: Database
    accounts: Accounts
    codec: Codec
    fetch: Fetch
    send: Send

    def moment(self) -> Moment:
        """Return the present instant, and which last uses have expired by now."""
        now_at = self.clock.now_at()
        return Moment(now_at, now_at - in_ms(self.settings.retention))


@dataclass(frozen=True, slots=True)
class Caller:
    """The client behind a task; `base_url` is the server's address as the client knows it."""

    account: Account
    transport: Literal["rest", "ws"]
    base_url: str
    dry_run: bool = False
