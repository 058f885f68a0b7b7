"""SQLAlchemy's Core over connections of SQLite's driver that are open already: imported with its first use."""

from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


class Core:
    """Makes them all of one engine, which remembers how statements are compiled.

    They begin and end no transaction: that is for whoever opened the driver's connection. What the driver raises comes
    through as it is.
    """

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._opened: list[Any] = []
        self._lock = Lock()

    def over(self, driver: Any) -> "Connection":
        """Return what runs statements on a connection of the driver, in its transaction."""
        with self._lock:
            self._engine = self._engine or self._create()
            self._opened.append(driver)
            connection = self._engine.connect()
        # Alembic would begin and commit transactions of its own.
        connection.begin()
        return connection

    def _create(self) -> "Engine":
        from sqlalchemy import NullPool, create_engine, event

        engine = create_engine(
            "sqlite://",
            creator=self._opened.pop,
            poolclass=NullPool,
            # Whatever was begun before it was asked for would be undone.
            skip_autocommit_rollback=True,
            hide_parameters=True,
        )

        def unwrap(context: Any) -> None:
            if context.original_exception is not None:
                raise context.original_exception

        event.listen(engine, "handle_error", unwrap)
        return engine
