"""The clock of each account, and which accounts have fault plans, cached in memory until they change.

Every process checks one version number before it trusts its cache, so that all processes of a database agree.
"""

from collections.abc import Callable, Mapping
from threading import Lock

from msgspec import Struct, field
from msgspec.structs import replace
from sqlalchemy import Column, ColumnElement, Connection, delete, func, insert, literal, select, true, update

from runware_mock.clock import Clock
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.models import account_clock, control_version, fault_plan


def has_no_clock(account_id: "Column[int]") -> ColumnElement[bool]:
    """Return the condition that a row's account has no clock of its own."""
    return account_id.not_in(select(account_clock.c.account_id))


def clock_at(account_id: "Column[int]", real_at: ColumnElement[int]) -> ColumnElement[int]:
    """Return the time on the clock of a row's account: its own clock, or that of all accounts, or the real one."""
    shown: list[ColumnElement[int]] = []
    for owner in (account_id, literal(ALL_ACCOUNTS)):
        frozen_at, offset_ms = (
            select(stored).where(account_clock.c.account_id == owner).scalar_subquery()
            for stored in (account_clock.c.frozen_at, account_clock.c.offset_ms)
        )
        shown += [frozen_at, offset_ms + real_at]
    return func.coalesce(*shown, real_at)


_VERSION = select(control_version.c.version)


class ClockBackwards(Exception):
    """A call would set a clock back, which only a reset may do."""


class ClockState(Struct, frozen=True):
    """A clock that runs ahead of the real one, or stands still."""

    offset_ms: int = 0
    frozen_at: int | None = None

    def now_at(self, real_at: int) -> int:
        """Return the time on this clock when the real time is `real_at`."""
        return real_at + self.offset_ms if self.frozen_at is None else self.frozen_at

    def frozen(self, real_at: int) -> "ClockState":
        """Return this clock stopped at its present time."""
        return replace(self, frozen_at=self.now_at(real_at))

    def resumed(self, real_at: int) -> "ClockState":
        """Return this clock running on from its present time."""
        return ClockState(self.now_at(real_at) - real_at)

    def moved(self, by_ms: int) -> "ClockState":
        """Return this clock moved ahead; raises ClockBackwards."""
        if by_ms < 0:
            raise ClockBackwards
        if self.frozen_at is None:
            return ClockState(self.offset_ms + by_ms)
        return replace(self, frozen_at=self.frozen_at + by_ms)

    def set_to(self, real_at: int, at: int) -> "ClockState":
        """Return this clock moved ahead to an instant; raises ClockBackwards."""
        return self.moved(at - self.now_at(real_at))


_REAL_TIME = ClockState()


class _Known(Struct, frozen=True):
    """The content of the database at a version: the clocks of accounts, and which accounts have plans."""

    version: int = 0
    clocks: Mapping[int, ClockState] = field(default_factory=dict)
    planned: frozenset[int] = frozenset()


class Clocks:
    """The clocks of all accounts, and which accounts have fault plans; `real` is the machine's clock."""

    def __init__(self, clock: Clock) -> None:
        self.real = clock
        self._known = _Known()
        self._lock = Lock()

    def refresh(self, connection: Connection) -> None:
        """Load what has changed since the last call."""
        version = connection.scalar(_VERSION) or 0
        if version <= self._known.version:
            return
        columns = (account_clock.c.account_id, account_clock.c.offset_ms, account_clock.c.frozen_at)
        known = _Known(
            version,
            {account_id: ClockState(*state) for account_id, *state in connection.execute(select(*columns))},
            frozenset(connection.scalars(select(fault_plan.c.account_id).distinct())),
        )
        with self._lock:
            # Another thread may have loaded an older version meanwhile, or a newer one.
            if known.version > self._known.version:
                self._known = known

    @property
    def version(self) -> int:
        """The version of what is known: it grows with every control call."""
        return self._known.version

    def real_at(self) -> int:
        """Return the real time."""
        return self.real.now_at()

    def now_at(self, account_id: int = ALL_ACCOUNTS) -> int:
        """Return the time on an account's clock."""
        real_at = self.real.now_at()
        return self.clock_of(account_id).now_at(real_at) if self._known.clocks else real_at

    def clock_of(self, account_id: int = ALL_ACCOUNTS) -> ClockState:
        """Return an account's clock: its own, or that of all accounts."""
        clocks = self._known.clocks
        return clocks.get(account_id) or clocks.get(ALL_ACCOUNTS) or _REAL_TIME

    def shown_at(self, column: "Column[int]") -> "ColumnElement[int] | int":
        """Return the time on the clock of a row's account, as a value or an SQL expression."""
        if not self.own_clocks():
            return self.now_at()
        return clock_at(column, literal(self.real_at()))

    def own_clocks(self) -> list[int]:
        """Return the accounts that have a clock of their own."""
        return [account_id for account_id in self._known.clocks if account_id != ALL_ACCOUNTS]

    def is_planned(self, account_id: int) -> bool:
        """Tell whether a fault plan may be waiting for this account."""
        planned = self._known.planned
        return account_id in planned or ALL_ACCOUNTS in planned

    def change(self, connection: Connection, account_id: int, move: Callable[[ClockState], ClockState]) -> None:
        """Change a clock; account 0 changes all clocks, including accounts' own ones. Raises ClockBackwards."""
        # Load the clocks first: the transaction holds the locks of their accounts.
        self.refresh(connection)
        states = {account_id: self.clock_of(account_id)}
        if account_id == ALL_ACCOUNTS:
            states |= self._known.clocks
        for one, state in states.items():
            moved = move(state)
            connection.execute(delete(account_clock).where(account_clock.c.account_id == one))
            row = {"account_id": one, "offset_ms": moved.offset_ms, "frozen_at": moved.frozen_at}
            connection.execute(insert(account_clock), row)

    def reset(self, connection: Connection, account_id: int) -> None:
        """Put an account back on the clock of all accounts; account 0 puts every account back on the real clock."""
        is_reset = true() if account_id == ALL_ACCOUNTS else account_clock.c.account_id == account_id
        connection.execute(delete(account_clock).where(is_reset))

    def changed(self, connection: Connection) -> None:
        """Make every process, including this one, reload once the change of a control call is committed."""
        # The next writer waits for this row until the commit, so that a visible version includes all before it.
        connection.execute(update(control_version).values(version=control_version.c.version + 1))
