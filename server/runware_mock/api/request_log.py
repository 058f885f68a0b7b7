"""One log line for each HTTP request and each WebSocket message that holds tasks."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runware_mock.api.dependencies import bearer_key
from runware_mock.clock import monotonic_s
from runware_mock.faults.matching import Met
from runware_mock.protocol.messages import Reply
from runware_mock.protocol.redaction import without_key, without_real_keys
from runware_mock.tasks import TASKS

_log = logging.getLogger(__name__)

# Polled by machines, or loaded by the page itself.
_QUIET = ("/health", "/ready", "/metrics", "/ui/static/")
_PATH_CHARS = 200
_NOTED = "noted"
# How a line of text shows what would not be understood without its name.
_WORDS = {"duration_ms": "{} ms", "faults": "faults: {}"}


class Noted:
    """Facts that only the code that answers a request knows; `account` is the masked label of the account.

    `is_journalled` says that the journal has an entry of it or of its tasks; `body` is one that holds no tasks.
    """

    def __init__(self) -> None:
        self.began_s = monotonic_s()
        self.account = ""
        self.account_id: int | None = None
        self.body: bytes | bytearray | str = b""
        self.is_journalled = False
        # What the journal keeps of the faults that the connection, not a task, has met.
        self.met: list[Mapping[str, object]] = []
        self.task_types: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    def add_tasks(self, tasks: Iterable[object]) -> None:
        """Note the types of the tasks."""
        self.task_types.update(map(_task_type, tasks))

    def add_replies(self, replies: Sequence[Reply]) -> None:
        """Note how the tasks ended, and the kinds of the faults that they met."""
        self.codes.update(str(reply.error["code"]) for reply in replies if reply.error)
        self.faults.update(kind for reply in replies for kind in reply.faults)
        self.is_journalled |= any(reply.entry_id is not None for reply in replies)

    def add_faults(self, met: Iterable[Met]) -> None:
        """Note the faults that the connection has met."""
        self.met += [one.as_json() for one in met]
        self.faults.update(one.kind for one in met)


class RequestLog:
    """ASGI middleware that logs each HTTP request once it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = Noted(), 0

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        finally:
            log_request(scope["method"], path_of(scope), status, noted_of(scope) or began)


def note(scope: Scope, noted: Noted) -> None:
    """Add these facts to the log line of this request."""
    scope["state"][_NOTED] = noted


def noted_of(scope: Scope) -> Noted | None:
    """Return what was noted of a request."""
    noted: Noted | None = scope["state"].get(_NOTED)
    return noted


def log_request(method: str, path: str, status: int | None, noted: Noted) -> None:
    """Log what was asked and how it went; a `status` of 0 says that the connection ended without an answer."""
    is_quiet = path.startswith(_QUIET) or noted.task_types.keys() == {"ping"}
    level = logging.DEBUG if is_quiet else logging.INFO
    if not _log.isEnabledFor(level):
        return
    fields = {
        "method": method,
        "path": path,
        "taskTypes": listed(noted.task_types),
        "status": "no answer" if status == 0 else status,
        "errors": listed(noted.codes),
        "duration_ms": round((monotonic_s() - noted.began_s) * 1000, 1),
        "account": noted.account,
        "faults": listed(noted.faults),
    }
    fields = {name: value for name, value in fields.items() if value not in ("", None)}
    words = (_WORDS.get(name, "{}").format(value) for name, value in fields.items())
    _log.log(level, "%s", " ".join(words), extra={"request": fields})


def listed(counted: Counter[str]) -> str:
    """Return names with how often each occurs, such as `imageUpload*3,caption`."""
    return ",".join(name if count == 1 else f"{name}*{count}" for name, count in counted.items())


def _task_type(task: object) -> str:
    name = task.get("taskType") if isinstance(task, dict) else None
    return name if isinstance(name, str) and (name in TASKS or name in ("ping", "authentication")) else "unknown"


def path_of(scope: Scope) -> str:
    """Return the path as it was sent, without its query; a key in it is masked."""
    path, key = scope["raw_path"].decode("latin-1"), bearer_key(scope)
    path = str(without_key(path, key)) if key else path
    return without_real_keys(path)[:_PATH_CHARS]
