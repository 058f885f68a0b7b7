"""The order in which media lie by their UUIDs: what was stored together is found, and purged, together.

The UUIDs that we make tell the time in their middle, from the tenth character on. In the order of their first
characters each would be on a page of its own, of which a purge had to write one for every medium.
"""

from sqlalchemy import ColumnElement, String, func, literal_column

# Bound parameters would make it another expression than that of the index.
_FIRST: ColumnElement[int] = literal_column("1")
_NINE: ColumnElement[int] = literal_column("9")
_TENTH: ColumnElement[int] = literal_column("10")


def in_order(uuid: ColumnElement[str]) -> ColumnElement[str]:
    """Return the expression by which the index has a UUID."""
    return func.substr(uuid, _TENTH, type_=String).concat(func.substr(uuid, _FIRST, _NINE, type_=String))


def key_of(uuid: str) -> str:
    """Return by what the index has this UUID."""
    return uuid[9:] + uuid[:9]
