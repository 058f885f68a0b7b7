"""Many values as one parameter, one after the other: to bind each takes longer than what is done with them."""

from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, cast, func, literal_column, select
from sqlalchemy.types import BigInteger, LargeBinary, String, TypeEngine

from runware_mock.storage.pieces import DIGEST_BYTES, ID_DIGITS


def ids_in(name: str) -> Select[int]:
    """Return the query of the ids in a parameter, which has at least one."""
    return select(cast(_piece(name, ID_DIGITS, String()), BigInteger))


def digests_in(name: str) -> Select[bytes]:
    """Return the query of the SHA-256s in a parameter, one after the other."""
    return select(_piece(name, DIGEST_BYTES, LargeBinary()))


def _piece(name: str, width: int, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    together: Any = bindparam(name, type_=kind)
    start = select(literal_column("1").label("at")).cte("start", recursive=True)
    following = start.c.at + width
    start = start.union_all(select(following).where(following <= func.length(together)))
    return func.substr(together, start.c.at, width, type_=kind)
