"""What happened to media by the word of the database itself: triggers note each row that comes or goes.

The product knows nothing of it. A note is part of the transaction it is about, so that no kill can lose one.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

_SCHEMA = """
CREATE SCHEMA witness;
CREATE TABLE witness.added (uuid TEXT PRIMARY KEY, account_id BIGINT, task_type TEXT);
CREATE TABLE witness.removed (
    uuid TEXT, account_id BIGINT, last_used_at BIGINT, expires_at BIGINT, now_at BIGINT
);
CREATE TABLE witness.dropped (object_key TEXT);
CREATE TABLE witness.clock (account_id BIGINT, offset_ms BIGINT, real_at BIGINT);
CREATE FUNCTION witness.real_at() RETURNS BIGINT LANGUAGE sql VOLATILE AS
    'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::BIGINT';
CREATE FUNCTION witness.on_added() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
    INSERT INTO witness.added VALUES (NEW.uuid, NEW.account_id, NEW.task_type);
    RETURN NULL;
END';
CREATE FUNCTION witness.on_removed() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
    INSERT INTO witness.removed VALUES (
        OLD.uuid, OLD.account_id, OLD.last_used_at, OLD.expires_at, witness.real_at() + coalesce(
            (SELECT offset_ms FROM account_clock WHERE account_id = OLD.account_id),
            (SELECT offset_ms FROM account_clock WHERE account_id = 0), 0)
    );
    RETURN NULL;
END';
CREATE FUNCTION witness.on_dropped() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
    INSERT INTO witness.dropped VALUES (OLD.object_key);
    RETURN NULL;
END';
CREATE FUNCTION witness.on_clock() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
    INSERT INTO witness.clock VALUES (NEW.account_id, NEW.offset_ms, witness.real_at());
    RETURN NULL;
END';
CREATE TRIGGER witness_added AFTER INSERT ON medium FOR EACH ROW EXECUTE FUNCTION witness.on_added();
CREATE TRIGGER witness_removed AFTER DELETE ON medium FOR EACH ROW EXECUTE FUNCTION witness.on_removed();
CREATE TRIGGER witness_dropped AFTER DELETE ON content FOR EACH ROW EXECUTE FUNCTION witness.on_dropped();
CREATE TRIGGER witness_clock AFTER INSERT ON account_clock FOR EACH ROW EXECUTE FUNCTION witness.on_clock();
"""


@dataclass(frozen=True)
class Removed:
    """A medium, and what its account's clock showed when it was removed, or 0; all times in ms since 1970."""

    uuid: str
    account_id: int
    last_used_at: int
    expires_at: int | None
    now_at: int


class Witness:
    """Reads a database at `address` (libpq) behind the product's back."""

    def __init__(self, address: str) -> None:
        self._address = address

    def begin(self) -> None:
        """Note from now on."""
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(_SCHEMA)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self._address, autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()

    def count(self, sql: str) -> int:
        """Return the number that a query asks for."""
        return int(self.rows(sql)[0][0] or 0)

    def strings(self, sql: str) -> list[str]:
        """Return the texts of a query's first column."""
        return [str(row[0]) for row in self.rows(sql)]

    def removed(self) -> list[Removed]:
        """Return what has gone."""
        rows = self.rows("SELECT uuid, account_id, last_used_at, expires_at, now_at FROM witness.removed")
        return [Removed(*row) for row in rows]
