"""Many values as one parameter, one after the other: to bind each takes longer than what is done with them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, cast, func, literal_column, select
from sqlalchemy.types import BigInteger, LargeBinary, String, TypeEngine

_ID_DIGITS = 20
DIGEST_BYTES = 32


def cut_digests(together: bytes) -> list[bytes]:
    """Return the SHA-256s of which `together` is made up."""
    return [together[start : start + DIGEST_BYTES] for start in range(0, len(together), DIGEST_BYTES)]


def joined_ids(ids: Iterable[int]) -> str:
    """Return ids as the parameter of `ids_in`."""
    return "".join(f"{one:0{_ID_DIGITS}}" for one in ids)


def ids_in(name: str) -> Select[int]:
    """Return the query of the ids in a parameter, which has at least one."""
    return select(cast(_piece(name, _ID_DIGITS, String()), BigInteger))


def digests_in(name: str) -> Select[bytes]:
    """Return the query of the SHA-256s in a parameter, one after the other."""
    return select(_piece(name, DIGEST_BYTES, LargeBinary()))


def _piece(name: str, width: int, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    together: Any = bindparam(name, type_=kind)
    start = select(literal_column("1").label("at")).cte("start", recursive=True)
    following = start.c.at + width
    start = start.union_all(select(following).where(following <= func.length(together)))
    return func.substr(together, start.c.at, width, type_=kind)
