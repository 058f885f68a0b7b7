"""What a machine lacks when it fails us, told apart from a mistake of ours."""

import errno
import os
import sqlite3
import sys

from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.storage.database import problem_of

_LACKS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_NO_MEMORY = "there is no memory left"
_IMPORT_FAILED = {
    **{why: f"the machine says: {why}" for why in map(os.strerror, (errno.EMFILE, errno.ENFILE))},
    **dict.fromkeys((os.strerror(errno.ENOMEM), "failed to map"), _NO_MEMORY),
}


def outage_of(error: Exception) -> str | None:
    """Return in one line what is lacking; None where an exception tells nothing of the kind."""
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    if isinstance(error, OSError) and error.errno in _LACKS:
        return f"the machine says: {error.strerror}"
    # What is imported with its first use may meet the same, and tells it in words.
    if isinstance(error, ImportError):
        return next((told for why, told in _IMPORT_FAILED.items() if why in str(error)), None)
    # Python has no class of its own for it.
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "there is no room for another thread"
    return f"the database cannot be used: {problem_of(error)}" if _is_of_database(error) else None


def _is_of_database(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        # SQLite has no better class for a file that is damaged, and none of its own for a mistake in a statement.
        is_outage = isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError
        return is_outage and getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
    if "sqlalchemy" not in sys.modules:
        return False
    from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError
    from sqlalchemy.exc import TimeoutError as PoolTimeoutError

    outages = (OperationalError, InternalError, InterfaceError, PoolTimeoutError)
    return isinstance(error, outages) or type(error) is DatabaseError


def crash(error: Exception) -> Refusal:
    """Return what tells a client that the mock itself has failed, and as far as it concerns them why."""
    outage = outage_of(error)
    return refuse("mockInternalError", f"It says: {outage}." if outage else "Its log says more.")
