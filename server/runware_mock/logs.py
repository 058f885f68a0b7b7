"""Log lines, as text for a person or as JSON for a machine."""

import json
import logging
from datetime import UTC, datetime


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


def set_up_logging(level: str, line_format: str) -> None:
    """Send log lines of this level and above to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonFormatter() if line_format == "json" else logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Every connection is worth a line to uvicorn, not to a user; and its debug lines are messages, API keys and all.
    quieter = {"debug": logging.INFO, "info": logging.WARNING}
    for name in ("uvicorn", "alembic"):
        logging.getLogger(name).setLevel(quieter.get(level, logging.NOTSET))
