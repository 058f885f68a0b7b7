"""Changes by control calls: how every process learns of them, and a token that differs after each."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, String, cast, func, select

from runware_mock.services import Services
from runware_mock.storage.models import control_version, fault, journal, medium, snapshot

_LOOK = select(
    select(func.max(journal.c.id)).scalar_subquery(),
    select(func.min(journal.c.id)).scalar_subquery(),
    select(func.max(medium.c.id)).scalar_subquery(),
    select(func.min(medium.c.id)).scalar_subquery(),
    select(func.max(medium.c.last_used_at)).scalar_subquery(),
    select(control_version.c.version).scalar_subquery(),
    select(func.max(snapshot.c.id)).scalar_subquery(),
    select(func.sum(fault.c.met)).scalar_subquery(),
)
# Where many write at once, what is committed last may have the smaller number; but every commit changes the snapshot.
_LOOK_AT_ALL = select(cast(func.pg_current_snapshot(), String))


def change_token(services: Services) -> tuple[object, ...]:
    """Return numbers of which at least one changes with every task, purge and control call."""
    with services.database.reading() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        return tuple(connection.execute(_LOOK if is_sqlite else _LOOK_AT_ALL).one())


@contextmanager
def changing(services: Services, account_id: int) -> Iterator[Connection]:
    """Open a transaction on an account; when it is committed this process knows of the change, the others find out."""
    with services.database.writing(account_id) as connection:
        yield connection
        services.clocks.changed(connection)
    services.refresh()
