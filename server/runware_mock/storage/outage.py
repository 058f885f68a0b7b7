"""What a machine lacks when it fails us, told apart from a mistake of ours."""

import errno
import os
import sqlite3

from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.storage.database import problem_of

_LACKS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_NO_MEMORY = "there is no memory left"
_IMPORT_FAILED = {
    **{why: f"the machine says: {why}" for why in map(os.strerror, (errno.EMFILE, errno.ENFILE))},
    **dict.fromkeys((os.strerror(errno.ENOMEM), "failed to map"), _NO_MEMORY),
}
_DATABASE_OUTAGES = (OperationalError, InternalError, InterfaceError, PoolTimeoutError)


def outage_of(error: Exception) -> str | None:
    """Return in one line what is lacking, or None where an exception does not say so."""
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    if isinstance(error, OSError) and error.errno in _LACKS:
        return f"the machine says: {error.strerror}"
    # A late import may meet the same, and says it in words.
    if isinstance(error, ImportError):
        return next((told for why, told in _IMPORT_FAILED.items() if why in str(error)), None)
    # Python has no class of its own for it.
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "there is no room for another thread"
    if isinstance(error, SQLAlchemyError) and _is_outage(error):
        return f"the database cannot be used: {problem_of(error)}"
    return None


def _is_outage(error: SQLAlchemyError) -> bool:
    # SQLite has no better class for a damaged file, and reports a mistake in a statement as an OperationalError.
    is_outage = isinstance(error, _DATABASE_OUTAGES) or type(error) is DatabaseError
    return is_outage and getattr(getattr(error, "orig", None), "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR


def crash(error: Exception) -> Refusal:
    """Return the error that tells a client that the mock itself has failed, and as far as it concerns them why."""
    outage = outage_of(error)
    return refuse("mockInternalError", f"It says: {outage}." if outage else "Its log says more.")
