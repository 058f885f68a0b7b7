"""The tools of `runware-mock mcp`. Only that command imports this module: the SDK is an optional extra."""

import json
import socket
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from io import BytesIO
from typing import Any, Literal
from urllib.parse import urlsplit

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context, Image
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import ValidationError

from runware_mock.answer_models import RuleState
from runware_mock.certificates import client_context
from runware_mock.client import ControlError
from runware_mock.commands.base import Call, json_of, one_line, text_of
from runware_mock.connection import Unreachable, send
from runware_mock.control.field_errors import field_error
from runware_mock.control_models import Entry, Medium, PlanState
from runware_mock.faults.kinds import KINDS, common_fields, meaning, own_fields
from runware_mock.images.codec import DECODERS, opened
from runware_mock.images.formats import Picture, PictureRefused
from runware_mock.images.resize import in_8_bits
from runware_mock.version import __version__

_INSTRUCTIONS = (
    "Controls runware-mock, a local stand-in for the Runware API. Read what an application sent with search_journal "
    "and explain_refusal, look at pictures, and change what the mock does next. Nothing here costs money or reaches "
    "the real service."
)
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
_DESTROYS = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=False)
# What every model can look at; larger pictures cost an agent much and show it little more.
_SHOWN_FORMATS = ("gif", "jpeg", "png", "webp")
_SHOWN_SIDE_PX = 1024
_SHOWN_BYTES = 1 << 20
_REFUSABLE: tuple[Literal["task", "lookup", "request"], ...] = ("task", "lookup", "request")
_REFUSED: tuple[Literal["error", "fault"], ...] = ("error", "fault")


def server_for(call: Call) -> MCPServer[Any]:
    """Return the server whose tools act on this server and account."""
    server = _Server(call)
    tools = _Tools(call)
    given: Mapping[Callable[..., Any], ToolAnnotations] = {
        tools.list_uploads: _READS,
        tools.show_picture: _READS,
        tools.forecast: _READS,
        tools.search_journal: _READS,
        tools.explain_refusal: _READS,
        tools.list_plans: _READS,
        tools.plan_fault: _ADDS,
        tools.add_answer: _ADDS,
        tools.save_snapshot: _ADDS,
        tools.restore_snapshot: _DESTROYS,
        tools.advance_clock: _DESTROYS,
        tools.reset: _DESTROYS,
    }
    for tool, hints in given.items():
        text = (tool.__doc__ or "") + (_fault_kinds() if tool == tools.plan_fault else "")
        # As text alone: a structured result would repeat it.
        server.add_tool(tool, description=text, annotations=hints, structured_output=False)
    return server


def serve_http(server: MCPServer[Any], bound: socket.socket) -> None:
    """Serve streamable HTTP on this socket until a signal; requests that name another host or origin are refused."""
    port = bound.getsockname()[1]
    hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost")]
    security = TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts])
    app = server.streamable_http_app(transport_security=security)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[bound])


class _Server(MCPServer[Any]):
    """Makes one sentence of each failure."""

    def __init__(self, call: Call) -> None:
        super().__init__("runware-mock", instructions=_INSTRUCTIONS, version=__version__, log_level="WARNING")
        self._call = call

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; raises ToolError."""
        known = next((tool.input_schema["properties"] for tool in await self.list_tools() if tool.name == name), None)
        # The SDK ignores them, and a filter that is ignored finds too much.
        for argument in () if known is None else sorted(arguments.keys() - known):
            near = get_close_matches(argument, known or (), 1)
            meant = f"did you mean {near[0]}?" if near else f"it has {', '.join(known or ()) or 'none'}"
            raise ToolError(f"{name} has no argument {argument!r}: {meant}")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            match error.__cause__:
                case ControlError() as cause:
                    raise ToolError(one_line(cause, self._call.api_key, self._call.token)) from None
                case ValidationError() as cause:
                    wrong = [field_error(one).sentence for one in cause.errors()]
                    raise ToolError("; ".join(wrong)) from None
                case ToolError() as cause:
                    raise ToolError(str(cause)) from None
            raise


class _Tools:
    """The tools: a method is one, and its docstring is what an agent reads about it."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._control = call.control

    def list_uploads(
        self, limit: int = 20, text: str | None = None, state: Literal["alive", "expired", "all"] = "alive"
    ) -> str:
        """List stored uploads and results, newest first, with their size and when they expire.

        `text` is a part of the UUID.
        """
        return text_of(self._control.media.list(limit=limit, text=text, state=state))

    def show_picture(self, uuid: str) -> list[Any]:
        """Show a stored picture, at most 1024 px wide and high, with its data. This does not count as a use of it."""
        medium = self._control.media.get(uuid)
        # What the mock's own page sends: planned faults are for the application's downloads, not for this one.
        headers = {"Sec-Fetch-Site": "same-origin"}
        trust = client_context(None) if self._call.url.startswith("https:") else None
        try:
            answer = send("GET", self._call.url + urlsplit(medium.url).path, headers=headers, trust=trust)
        except Unreachable as error:
            raise ToolError(f"the file of {uuid} cannot be read: {error}") from None
        if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
            raise ToolError(f"the file of {uuid} is gone: it has expired or was deleted")
        content_type = answer.headers.get_content_type()
        if not content_type.startswith("image/"):
            raise ToolError(f"{uuid} is {content_type}: only pictures can be shown")
        return [text_of(medium), _shown(medium, answer.content)]

    def forecast(self, within: str | None = None) -> str:
        """Say when each medium expires, and what would be purged `within` a time from now, such as 31d or 2h."""
        return text_of(self._control.media.forecast(within=within))

    def search_journal(
        self,
        limit: int = 20,
        text: str | None = None,
        task_type: str | None = None,
        task_uuid: str | None = None,
        outcome: Literal["success", "error", "fault", "crash"] | None = None,
        code: str | None = None,
        kind: Literal["task", "lookup", "request", "webhook", "all"] = "all",
        since: int | None = None,
        before: int | None = None,
    ) -> str:
        """List what was sent to the mock, newest first, one line each: the tasks, polls, refused requests and webhooks.

        `text` is in the task or its answer; `code` is that of an error; `since` and `before` are ids of entries.
        explain_refusal with an id shows the whole entry.
        """
        found = self._control.journal.list(
            limit=limit,
            text=text,
            task_type=task_type,
            task_uuid=task_uuid,
            outcome=outcome,
            code=code,
            kind=kind,
            since=since,
            before=before,
        )
        return text_of(found)

    def explain_refusal(self, entry_id: int | None = None) -> str:
        """Explain why a task or request was refused or failed, with its journal entry; without an id, the newest."""
        if entry_id is None:
            newest_of = partial(self._control.journal.list, limit=1)
            pages = (newest_of(outcome=outcome, kind=kind) for outcome in _REFUSED for kind in _REFUSABLE)
            newest = max((entry for page in pages for entry in page), key=lambda entry: entry.id, default=None)
            if newest is None:
                raise ToolError("nothing was refused yet")
            entry = newest
        else:
            entry = self._control.journal.get(entry_id)
        return f"{_explained(entry)}\n\n{json.dumps(json_of(entry), ensure_ascii=False)}"

    def list_plans(self) -> str:
        """List fault plans and answer rules, how often they were met or used, and which task came nearest."""
        plans, rules = self._control.faults.list(), self._control.answers.list()
        both: list[PlanState | RuleState] = [*plans, *rules]
        near = [f"{one.name}: nearest task: {one.nearest}" for one in both if one.nearest]
        return "\n".join([f"Fault plans:\n{text_of(plans)}", f"Answer rules:\n{text_of(rules)}", *near])

    def plan_fault(
        self, kind: str, fields: dict[str, Any] | None = None, name: str | None = None, *, must_be_met: bool = True
    ) -> str:
        """Plan one fault for the application's next calls. `fields` are those of its kind and of all kinds.

        For example, kind "http" with fields {"status": 502, "times": 2, "task_type": "imageUpload"}.
        """
        return text_of(self._control.faults.plan({**(fields or {}), "kind": kind}, name=name, must_be_met=must_be_met))

    def add_answer(self, give: dict[str, Any], match: dict[str, Any] | None = None, name: str | None = None) -> str:
        """Add a rule that says what matching tasks are answered with.

        `match` has any of task_type, prompt, model, where, task_uuid, nth and transport; a prompt may have wildcards.
        `give` has any of picture (the UUID of a stored medium, or a colour), text, fields (merged into the answer),
        error (a code, or an object with code, parameter and message) and times. For example, match
        {"task_type": "imageInference", "prompt": "*cat*"} and give {"picture": "teal", "times": 2}.
        """
        rule = {**(match or {}), "give": give}
        return text_of(self._control.answers.add(rule if name is None else {**rule, "name": name}))

    def save_snapshot(self, name: str) -> str:
        """Save the account's whole state under a name, to return to with restore_snapshot."""
        return text_of(self._control.snapshots.save(name))

    def restore_snapshot(self, name: str) -> str:
        """Return the account to a saved state. What happened since then is lost."""
        return text_of(self._control.snapshots.restore(name))

    def advance_clock(self, by: str, *, all_accounts: bool = False) -> str:
        """Move the mock's clock ahead by a duration such as 31d or 2h30m. Media that expire on the way are purged."""
        self._confirm("move the clock", all_accounts=all_accounts)
        return text_of(self._control.clock.advance(by))

    def reset(
        self, scope: Literal["all", "media", "journal", "faults", "clock"] = "all", *, all_accounts: bool = False
    ) -> str:
        """Delete the media, the journal or the fault plans and answer rules, reset the clock, or do all of these."""
        self._confirm(f"reset {scope}", all_accounts=all_accounts)
        return text_of(self._control.reset(scope))

    def _confirm(self, action: str, *, all_accounts: bool) -> None:
        if self._call.api_key is None and not all_accounts:
            raise ToolError(
                f"this would {action} for all accounts: call it with all_accounts true, or start `runware-mock mcp` "
                "with --account KEY"
            )


def _explained(entry: Entry) -> str:
    lines = [f"Entry {entry.id}, {entry.asked} over {entry.transport}: {entry.outcome}"]
    lines += [f"{item['code']}: {item.get('message', '')}" for item in entry.answer if "code" in item]
    lines += [f"This is the planned fault {met.kind} of the plan {met.plan}." for met in entry.faults]
    if entry.explanation is not None:
        why = entry.explanation
        lines += [f"Rule: {why.rule}", f"The documentation says: {why.sentence}"]
        lines += [f"Sent: {why.value_head}"] if why.value_head is not None else []
        lines += [f"Nearest valid value: {why.nearest_valid}"] if why.nearest_valid is not None else []
    return "\n".join([*lines, *(f"Warning: {warning}" for warning in entry.warnings)])


def _shown(medium: Medium, content: bytes) -> Image:
    width_px, height_px = medium.width_px or 0, medium.height_px or 0
    is_small = max(width_px, height_px) <= _SHOWN_SIDE_PX and len(content) <= _SHOWN_BYTES
    if is_small and medium.format in _SHOWN_FORMATS:
        return Image(data=content, format=medium.format)
    if medium.format not in DECODERS:
        raise ToolError(f"a picture of the format {medium.format} cannot be shown")
    try:
        picture = opened(Picture(medium.format, width_px, height_px, medium.frames or 1, content))
    except PictureRefused as error:
        raise ToolError(str(error)) from None
    smaller = in_8_bits(picture)
    is_opaque = not smaller.has_transparency_data
    smaller = smaller.convert("RGB" if is_opaque else "RGBA")
    smaller.thumbnail((_SHOWN_SIDE_PX, _SHOWN_SIDE_PX))
    written, format_ = BytesIO(), "jpeg" if is_opaque else "png"
    smaller.save(written, format_)
    return Image(data=written.getvalue(), format=format_)


def _fault_kinds() -> str:
    kinds = [f"- {kind}({', '.join(own_fields(kind))}): {meaning(kind)}" for kind in KINDS]
    return "\n".join(["", "Kinds, with the fields of their own:", *kinds, f"All kinds: {', '.join(common_fields())}."])
