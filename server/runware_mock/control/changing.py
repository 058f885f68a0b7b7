"""A change that every process is told of."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from runware_mock.services import Services


@contextmanager
def changing(services: Services, account_id: int) -> Iterator[Connection]:
    """Open a transaction on an account; when it is committed this process knows of the change, the others find out."""
    with services.database.writing(account_id) as connection:
        yield connection
        services.clocks.changed(connection)
    services.refresh()
