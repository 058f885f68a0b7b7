"""Log lines on standard error, as text for a person or as JSON for a machine."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

from runware_mock.clock import monotonic_s
from runware_mock.storage.database import outage_of

_REPEATED_AFTER_S = 60.0
# At most this many different lines are remembered.
_REMEMBERED = 1000


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "request", {}),
        }
        if task_uuid := getattr(record, "task_uuid", None):
            line["taskUUID"] = task_uuid
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class RateLimitFilter(logging.Filter):
    """Lets the same warning or error through once a minute, then says how many were left out.

    What the machine lacks (disk space, a database) is logged without a traceback, which would only show where that was
    noticed first; so is a client's text that is not UTF-8.
    """

    def __init__(self, elapsed_s: Callable[[], float] = monotonic_s) -> None:
        super().__init__()
        self._elapsed_s = elapsed_s
        self._lock = Lock()
        # Line -> when it was logged, and how often it was left out since.
        self._logged: dict[object, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log a record."""
        if record.levelno < logging.WARNING:
            return True
        left_out = self._left_out_before(self._key(record))
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more like this were not logged)", None
        return left_out is not None

    def _key(self, record: logging.LogRecord) -> object:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, Exception):
            return record.name, record.getMessage()
        if outage := outage_of(error):
            record.msg, record.args = f"{record.getMessage()}: {outage}", None
            record.exc_info = record.exc_text = None
            return outage
        if isinstance(error, UnicodeDecodeError) and record.name.startswith("uvicorn"):
            record.exc_info = record.exc_text = None
        return record.name, record.msg, type(error), str(error)

    def _left_out_before(self, key: object) -> int | None:
        """Return how many lines were left out since the last one that was logged; None to leave out this one, too."""
        now_s = self._elapsed_s()
        with self._lock:
            logged_s, left_out = self._logged.get(key, (None, 0))
            if logged_s is not None and now_s - logged_s < _REPEATED_AFTER_S:
                self._logged[key] = (logged_s, left_out + 1)
                return None
            if len(self._logged) >= _REMEMBERED:
                self._logged.clear()
            self._logged[key] = (now_s, 0)
            return left_out


def set_up_logging(level: str, line_format: str) -> None:
    """Write log lines of this level and above to standard error; `line_format` is text or json."""
    handler = logging.StreamHandler()
    handler.addFilter(RateLimitFilter())
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonFormatter() if line_format == "json" else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # uvicorn logs a line for every connection, and at level debug whole messages with the API keys in them.
    quieter = {"debug": logging.INFO, "info": logging.WARNING}
    for name in ("uvicorn", "alembic"):
        logging.getLogger(name).setLevel(quieter.get(level, logging.NOTSET))
