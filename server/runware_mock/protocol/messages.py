"""Requests as they come in and replies as they go out, for both transports."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.redaction import without_real_keys
from runware_mock.protocol.response_plan import ResponsePlan

# Decoded JSON is always a dict, so check for that: isinstance with Mapping takes seven times as long.
Task = Mapping[str, object]
Item = dict[str, object]

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_LONG = 2**20
_LONE_SURROGATE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")
_HALF_A_PAIR = "An escape such as \\ud83d is half of a surrogate pair; its other half is missing."
_WORD = re.compile(r"\S+\s*")
_UTF_8_BOM = b"\xef\xbb\xbf"
# A value takes about 100 bytes and 100 ns. No real request comes near, and base64 contains no separators of values.
_MOST_VALUES = 1_000_000
_COUNTED = 64 * 1024

# "UUID v4 identifier": version digit 4, variant 8, 9, a or b.
UUID_V4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
UUID_OF_ANY_FORM = re.compile(rf"{UUID.pattern}|[0-9a-f]{{32}}", re.IGNORECASE)

_KINDS = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}

AUTHENTICATION = "authentication"
EVENT_STREAM = "text/event-stream"
_ECHO_LIMIT = 256
_HEAD_LIMIT = 60


class Reply(Struct, frozen=True):
    """The answer to one task: either `items` or an `error`, never both, or neither if a fault removes the answer."""

    items: tuple[Item, ...] = ()
    error: Item | None = None
    status: int = 200
    response_plan: ResponsePlan | None = None
    # The kinds of the planned faults that the task has met.
    faults: tuple[str, ...] = ()
    # Whether the client asked for the texts as a stream of events.
    is_streamed: bool = False
    # Of the journal, if the task left one.
    entry_id: int | None = None
    # When each item, or the error, is there by the account's clock, if a rule makes the client wait.
    ready_at: tuple[int, ...] = ()

    def parts(self) -> "list[tuple[int | None, Reply]]":
        """Return what is sent at which instant: together what is there together, and all at once if a fault is met."""
        if not self.ready_at or self.response_plan is not None or self.error is not None:
            return [(max(self.ready_at, default=None), self)]
        parts: list[tuple[int | None, Reply]] = []
        for at in sorted(set(self.ready_at)):
            items = tuple(item for item, item_at in zip(self.items, self.ready_at, strict=True) if item_at == at)
            parts.append((at, replace(self, items=items)))
        return parts

    @classmethod
    def refused(cls, refusal: Refusal, task: object = None) -> "Reply":
        """Answer `task` with a refusal."""
        return cls(error=refusal.item(_echo(task, "taskType"), _echo(task, "taskUUID")), status=refusal.status)


def parse_tasks(raw: bytes | bytearray | str, most_tasks: int) -> list[object]:
    """Return the tasks of a request body or frame; raises the refusal invalidJson or invalidRequest.

    "Our API always accepts an array of objects as input, where each object represents a specific task".
    """
    if raw.startswith("\ufeff") if isinstance(raw, str) else raw.startswith(_UTF_8_BOM):
        # Not always with `removeprefix`: it copies a bytearray even without a prefix.
        raw = raw.removeprefix("\ufeff") if isinstance(raw, str) else raw[len(_UTF_8_BOM) :]
    if not raw:
        raise refuse("invalidJson", "It is empty.")
    if _most_values(raw) > _MOST_VALUES:
        raise refuse("invalidRequest", f"This one holds more than {_MOST_VALUES:,} values.")
    try:
        if len(raw) > _LONG:
            # Raises MemoryError: msgspec does not check whether it got the memory for a string, and would crash.
            bytearray(len(raw))
        tasks = _decode(raw)
    except RecursionError:
        raise refuse("invalidJson", "It is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        # msgspec calls text with half a pair truncated.
        raise refuse("invalidJson", _HALF_A_PAIR if _holds_lone_surrogate(raw) else f"{error}.") from None
    if not isinstance(tasks, list):
        raise refuse("invalidRequest", f"This is {kind_of(tasks)}.")
    if not tasks:
        raise refuse("invalidRequest", "The array is empty.")
    if len(tasks) > most_tasks:
        raise refuse(
            "invalidRequest", f"This one holds {len(tasks):,} tasks; the limit is {most_tasks:,} (--max-tasks)."
        )
    return tasks


def _holds_lone_surrogate(raw: bytes | bytearray | str) -> bool:
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
    return _LONE_SURROGATE.search(text) is not None


def _most_values(raw: bytes | bytearray | str) -> int:
    """Return how many JSON values a text can hold at most: each but the first follows one of three characters."""
    text: Any = raw
    marks = ",[{" if isinstance(raw, str) else (b",", b"[", b"{")
    return sum(
        text.count(mark, start, start + _COUNTED)
        for start in range(0, len(text), _COUNTED)
        for mark in marks
        # If there is none, as in base64, `find` is thirty times as fast as `count`.
        if text.find(mark, start, start + _COUNTED) >= 0
    )


def is_uuid(text: str) -> bool:
    """Tell whether a text has the form of a UUID of any version."""
    return UUID.fullmatch(text) is not None


def kind_of(value: object) -> str:
    """Return the JSON type of a value for a message, with its article."""
    return _KINDS.get(type(value), "null")


def head_of(value: object) -> str:
    """Return the start of a value, short enough for a message."""
    text = without_real_keys((value if isinstance(value, str) else _encode(value).decode())[: 2 * _HEAD_LIMIT])
    return repr(text if len(text) <= _HEAD_LIMIT else text[:_HEAD_LIMIT] + "…")


def rest_body(replies: Sequence[Reply], *, single_object: bool = False) -> tuple[int, bytes]:
    """Return the HTTP status and body that answer one REST request.

    Some tasks failed: 200 with `data` and `errors`. All failed: the status of the first error and an empty `data`,
    as seen live. `errors` is left out when empty: two SDKs take its mere presence for a failure.
    """
    items = [item for reply in replies for item in reply.items]
    errors = [reply.error for reply in replies if reply.error is not None]
    data: object = items[0] if single_object and len(items) == 1 and not errors else items
    if not errors:
        return 200, _encode({"data": data})
    status = 200 if items else next(reply.status for reply in replies if reply.error is not None)
    return status, _encode({"data": data, "errors": errors})


def text_events(replies: Sequence[Reply]) -> list[bytes]:
    """Return the server-sent events that answer a streamed text, one per word.

    "`data: {...}` lines with a `delta`, ended by `data: [DONE]`"; the last event of a text has its `finishReason`.
    """
    events: list[object] = []
    for index, item in enumerate(item for reply in replies for item in reply.items):
        told = {"taskType": item["taskType"], "taskUUID": item["taskUUID"], "resultIndex": index}
        events += [{**told, "delta": {"text": word}} for word in _WORD.findall(str(item.get("text", "")))]
        events.append({name: value for name, value in {**item, **told, "delta": {}}.items() if name != "text"})
    return [*(b"data: %s\n\n" % _encode(event) for event in events), b"data: [DONE]\n\n"]


def webhook_body(item: Item, *, is_error: bool, flat: bool) -> bytes:
    """Return a webhook's body for one result or error: "the flat task object", or the envelope of an older guess."""
    if flat:
        return _encode(item)
    return _encode({"errors": [item]} if is_error else {"data": [item]})


def ws_frame(reply: Reply) -> str:
    """Return the one WebSocket frame that answers one task: data and errors are never mixed."""
    if reply.error is None:
        return _encode({"data": reply.items}).decode()
    if reply.error.get("taskType") == AUTHENTICATION:
        # Only both spellings at once make every SDK fail fast: some read `errors`, one reads `error` alone.
        return _encode({"errors": [reply.error], "error": reply.error}).decode()
    return _encode({"errors": [reply.error]}).decode()


def items_of(frame: str) -> list[Item]:
    """Return the items of a frame that `ws_frame` wrote."""
    items: list[Item] = _decode(frame).get("data", [])
    return items


def _echo(task: object, name: str) -> str | None:
    value = task.get(name) if isinstance(task, dict) else None
    return without_real_keys(value) if isinstance(value, str) and len(value) <= _ECHO_LIMIT else None


# "[{"taskType":"ping","ping":true}] → {"data":[{"taskType":"ping","pong":true}]}"
PONG = Reply(items=({"taskType": "ping", "pong": True},))


def is_ping(task: object) -> bool:
    """Tell whether a task is a ping."""
    return isinstance(task, dict) and task.get("taskType") == "ping"


def is_authentication(task: object) -> TypeGuard[dict[str, object]]:
    """Tell whether a task is an authentication."""
    return isinstance(task, dict) and task.get("taskType") == AUTHENTICATION


def first_authentication(tasks: Iterable[object]) -> Mapping[str, object] | None:
    """Return the first authentication among the tasks, or None."""
    return next((task for task in tasks if is_authentication(task)), None)


def authenticated(session_uuid: str) -> Reply:
    """Return the answer to a valid key; a taskUUID in it would make an SDK wait 60 s and fail."""
    return Reply(items=({"taskType": AUTHENTICATION, "connectionSessionUUID": session_uuid},))
