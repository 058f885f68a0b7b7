"""One connection to a database, as all below the web see it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy


class Connection:
    """Runs what is prepared, and hands SQLAlchemy's Core to those who need it.

    `driver` is SQLite's own connection, or None for another database: what every upload asks is asked of it without
    SQLAlchemy, whose import takes as long as all the rest of a start. `core` is made with its first use.
    """

    __slots__ = ("_core", "_open_core", "driver", "then")

    def __init__(self, driver: Any, open_core: "Callable[[Any], sqlalchemy.Connection]") -> None:
        self.driver = driver
        self._open_core = open_core
        self._core: sqlalchemy.Connection | None = None
        # What is to be done once its transaction has committed.
        self.then: list[Callable[[], None]] = []

    @property
    def core(self) -> "sqlalchemy.Connection":
        """The same connection, in the same transaction, for statements that are made when they are needed."""
        if self._core is None:
            self._core = self._open_core(self.driver)
        return self._core

    def close(self) -> None:
        """Close both."""
        if self._core is not None:
            # Or it would try to undo what it takes to be its own transaction.
            self._core.invalidate()
            self._core.close()
        if self.driver is not None:
            self.driver.close()
