"""Many values as one parameter, one after the other: to bind each takes longer than what is done with them."""

from collections.abc import Iterable

ID_DIGITS = 20
DIGEST_BYTES = 32


def cut_digests(together: bytes) -> list[bytes]:
    """Return the SHA-256s of which `together` is made up."""
    return [together[start : start + DIGEST_BYTES] for start in range(0, len(together), DIGEST_BYTES)]


def joined_ids(ids: Iterable[int]) -> str:
    """Return ids as the parameter of `ids_in`."""
    return "".join(f"{one:0{ID_DIGITS}}" for one in ids)
