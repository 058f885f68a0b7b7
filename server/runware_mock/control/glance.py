"""One cheap look that differs whenever anything has changed."""

from sqlalchemy import func, select

from runware_mock.services import Services
from runware_mock.storage.tables import control_version, fault, journal, medium, snapshot

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


def glance(services: Services) -> tuple[object, ...]:
    """Return numbers of which at least one changes with every task, purge and control call."""
    with services.database.reading() as connection:
        return tuple(connection.execute(_LOOK).one())
