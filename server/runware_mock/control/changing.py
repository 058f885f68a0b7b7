"""A change that every process is told of."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from runware_mock.services import Services


@contextmanager
def changing(services: Services) -> Iterator[Connection]:
    """Open a transaction; when it is committed this process knows of the change, and the others find out."""
    with services.database.writing() as connection:
        yield connection
        services.live.changed(connection)
    with services.database.reading() as connection:
        services.live.refresh(connection)
