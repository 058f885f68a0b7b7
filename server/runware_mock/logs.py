"""Log lines, as text for a person or as JSON for a machine; what fails a thousand times is one line, not thousands."""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

_TOLD_AGAIN_AFTER_S = 60.0
_KNOWN = 1000


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if task_uuid := getattr(record, "task_uuid", None):
            line["taskUUID"] = task_uuid
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class Calm(logging.Filter):
    """Lets the same warning or error through once a minute, and then tells how many were left out.

    Where `outage_of` an exception tells what the machine lacks, that is all there is to say: a traceback shows only
    where it was noticed, which is everywhere at once.
    """

    def __init__(
        self, outage_of: Callable[[Exception], str | None], elapsed_s: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._outage_of = outage_of
        self._elapsed_s = elapsed_s
        self._lock = Lock()
        # What was told -> when, and how often it was left out since.
        self._told: dict[object, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is a line."""
        if record.levelno < logging.WARNING:
            return True
        more = self._more(self._key(record))
        if more:
            record.msg, record.args = f"{record.getMessage()} ({more} more like this were not logged)", None
        return more is not None

    def _key(self, record: logging.LogRecord) -> object:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, Exception):
            return record.name, record.getMessage()
        if outage := self._outage_of(error):
            record.msg, record.args = f"{record.getMessage()}: {outage}", None
            record.exc_info = record.exc_text = None
            return outage
        return record.name, record.msg, type(error), str(error)

    def _more(self, key: object) -> int | None:
        """Return how many were left out before this one, or None if it is to be left out itself."""
        now_s = self._elapsed_s()
        with self._lock:
            told_s, left_out = self._told.get(key, (None, 0))
            if told_s is not None and now_s - told_s < _TOLD_AGAIN_AFTER_S:
                self._told[key] = (told_s, left_out + 1)
                return None
            if len(self._told) >= _KNOWN:
                self._told.clear()
            self._told[key] = (now_s, 0)
            return left_out


def set_up_logging(level: str, line_format: str, outage_of: Callable[[Exception], str | None]) -> None:
    """Send log lines of this level and above to standard error."""
    handler = logging.StreamHandler()
    handler.addFilter(Calm(outage_of))
    handler.setFormatter(
        JsonFormatter() if line_format == "json" else logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Every connection is worth a line to uvicorn, not to a user; and its debug lines are messages, API keys and all.
    quieter = {"debug": logging.INFO, "info": logging.WARNING}
    for name in ("uvicorn", "alembic"):
        logging.getLogger(name).setLevel(quieter.get(level, logging.NOTSET))
