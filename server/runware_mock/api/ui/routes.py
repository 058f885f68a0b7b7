"""The routes of the page: each fills one template with what a control function returns."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor
from datetime import timedelta
from functools import lru_cache
from typing import Any, get_args
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from runware_mock.api.dependencies import base_url
from runware_mock.api.failures import GuardedRoute, is_control
from runware_mock.api.transport import STOPPING
from runware_mock.api.ui.pages import HEADERS, accepts_html, page, short, wants_page
from runware_mock.control import clocks, state
from runware_mock.control import media as stored
from runware_mock.control.calls import change_token, not_found
from runware_mock.control.journal import Filter, Kind, choices, list_entries
from runware_mock.control.plans import list_plans, waiting_plans
from runware_mock.control_models import Answer, Entry, Medium, PlanState, instant, write_instant, write_span
from runware_mock.images.codec import thumbnail
from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.messages import EVENT_STREAM
from runware_mock.services import Services
from runware_mock.storage.blobs import ObjectGone
from runware_mock.storage.clocks import ClockState
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.media import read_any, sha256_of
from runware_mock.tasks import TASKS
from runware_mock.values import write_duration

_METHODS = ["GET", "HEAD"]
_PER_PAGE = 60
_ENTRIES = 50
# A browser that opens one of these API addresses is redirected to the documentation.
_DOCUMENTED = ("/v1", "/v1/", "/_mock", "/_mock/")
_UPLOADS = ("imageUpload", "mediaStorage")
_MOST_THUMBNAILS = 3000
_CHANGE = b"event: change\ndata: 1\n\n"
_LOOK_EVERY_S = 0.4
# After so many looks without a change, a comment keeps the connection alive through proxies.
_QUIET_LOOKS = 40


def router(services: Services, threads: Executor | None = None) -> APIRouter:  # noqa: C901 - a table of pages
    """Return the routes of the page: `GET /` and all under `/ui`; thumbnails are drawn in `threads`, if given."""
    api = APIRouter(route_class=GuardedRoute, include_in_schema=False)
    thumbnails, changes = Thumbnails(services), Changes(services)

    def account_of(request: Request) -> int:
        number = _number(request.query_params.get("account")) or ALL_ACCOUNTS
        return number if number == ALL_ACCOUNTS else state.find_account(services, number)

    def show(request: Request, template: str, **values: Any) -> HTMLResponse:
        return page(request, template, {"labels": state.labels(services), "header": _header(services), **values})

    @api.api_route("/", methods=_METHODS)
    def gallery(request: Request) -> HTMLResponse:
        """Show the media, the newest first."""
        if not wants_page(request.scope):
            # For a program this is the address of the API.
            raise HTTPException(405)
        query = request.query_params
        chosen_state: Any = query.get("state") or "alive"
        if chosen_state not in get_args(stored.State):
            raise not_found(f"There is no state {chosen_state[:40]!r}.")
        before = _number(query.get("before"))
        chosen = stored.Filter(query.get("format"), query.get("task_type"), query.get("text"), chosen_state, before)
        url = base_url(request.scope, services)
        found = stored.list_media(services, account_of(request), url, chosen, _PER_PAGE)
        formats, task_types = stored.formats_and_task_types(services)
        return show(
            request,
            "gallery.html",
            media=[_shown(services, one) for one in found.media],
            total=found.total,
            formats=formats,
            task_types=task_types,
            older=_older(request, found.next_before),
            server=url,
        )

    @api.api_route("/ui/media/{uuid}", methods=_METHODS)
    def medium(request: Request, uuid: str) -> HTMLResponse:
        """Show one medium, with the journal entries that name it."""
        url = base_url(request.scope, services)
        found = stored.get_medium(services, ALL_ACCOUNTS, url, uuid)
        named = list_entries(services, found.account, Filter(text=found.uuid), _ENTRIES).entries
        brought_by = next((one for one in named if _has_stored(one, found.uuid)), None)
        return show(
            request,
            "medium.html",
            medium=_shown(services, found),
            is_upload=found.task_type in (*_UPLOADS, stored.FIXTURE),
            declared=brought_by.audit.declared if brought_by and brought_by.audit else None,
            entries=[{**_json(one), "has_stored": one is brought_by} for one in named],
            now_at=write_instant(instant(services.now_at(found.account))),
            server=url,
        )

    @api.api_route("/ui/journal", methods=_METHODS)
    def journal(request: Request) -> HTMLResponse:
        """Show the tasks, the other requests and their answers, the newest first."""
        query: Any = request.query_params
        chosen = Filter(
            task_type=query.get("task_type") or None,
            outcome=query.get("outcome") or None,
            text=query.get("text") or None,
            before=_number(query.get("before")),
            status=_number(query.get("status")),
            kind=query.get("kind") if query.get("kind") in get_args(Kind) else "all",
        )
        found = list_entries(services, account_of(request), chosen, _ENTRIES)
        return show(
            request,
            "journal.html",
            entries=_json(found)["entries"],
            older=_older(request, found.next_before),
            **choices(services),
        )

    @api.api_route("/ui/controls", methods=_METHODS)
    def controls(request: Request) -> HTMLResponse:
        """Show the clock, the fault plans and the snapshots of an account."""
        account_id = account_of(request)
        # An account meets its own plans and those for all accounts.
        plans = list_plans(services, account_id, with_shared=True).plans
        saved = [] if account_id == ALL_ACCOUNTS else _json(state.list_snapshots(services, account_id))["snapshots"]
        return show(
            request,
            "controls.html",
            account_id=account_id,
            clock=_json(clocks.show(services, account_id)),
            plans=[(plan, _spec(plan), _anchor(plan, plans)) for plan in plans],
            server=base_url(request.scope, services),
            snapshots=saved,
            task_types=list(TASKS),
        )

    @api.api_route("/ui", methods=_METHODS)
    def start() -> RedirectResponse:
        """Redirect to the gallery."""
        return RedirectResponse("/")

    @api.api_route("/ui/thumbnails/{uuid}", methods=_METHODS)
    async def show_thumbnail(request: Request, uuid: str) -> Response:
        """Return a small WebP of a medium."""
        known = request.headers.get("if-none-match")
        return await asyncio.get_running_loop().run_in_executor(threads, thumbnails.response, uuid.lower(), known)

    @api.get("/ui/events")
    async def events(request: Request) -> StreamingResponse:
        """Stream an event whenever something has changed."""
        stopping: asyncio.Event = request.scope["state"][STOPPING]
        return StreamingResponse(changes.events(stopping), media_type=EVENT_STREAM, headers=HEADERS)

    def documentation(request: Request) -> RedirectResponse:
        """Redirect a browser to the documentation; tell a program that it must POST, or which calls exist."""
        if not accepts_html(request.scope):
            raise HTTPException(404 if is_control(request.scope) else 405)
        return RedirectResponse("/docs")

    for path in _DOCUMENTED:
        api.add_api_route(path, documentation, methods=_METHODS)
    return api


class Changes:
    """Tells all open pages when something has changed, with one look at the database for all of them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._looking: asyncio.Task[object] | None = None

    async def events(self, stopping: asyncio.Event) -> AsyncIterator[bytes]:
        """Yield a server-sent event now, and one after each change, until the server stops."""
        # Before the first event: the page loads the present state after it.
        last: object = await asyncio.to_thread(change_token, self._services)
        yield _CHANGE
        quiet_looks = 0
        while not stopping.is_set():
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look_soon())
            now = await asyncio.shield(self._looking)
            quiet_looks = 0 if now != last else quiet_looks + 1
            if now != last:
                last = now
                yield _CHANGE
            elif quiet_looks % _QUIET_LOOKS == 0:
                yield b": still here\n\n"

    async def _look_soon(self) -> object:
        await asyncio.sleep(_LOOK_EVERY_S)
        return await asyncio.to_thread(change_token, self._services)


class Thumbnails:
    """Draws thumbnails and keeps the newest, by the SHA-256 of the content as well, since a UUID may be reused."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._drawn = lru_cache(_MOST_THUMBNAILS)(self._draw)

    def response(self, uuid: str, if_none_match: str | None) -> Response:
        """Return the thumbnail of a medium, or 404 if there is none now."""
        with self._services.database.reading() as connection:
            sha256 = sha256_of(connection, uuid)
        if sha256 is None:
            return Response(status_code=404)
        headers = {"Cache-Control": "private, no-cache", "ETag": f'"{sha256.hex()}"'}
        if if_none_match == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        try:
            drawn = self._drawn(uuid, sha256)
        except (ObjectGone, Refusal) as error:
            # Not remembered: the file may be there next time.
            return Response(status_code=error.status if isinstance(error, Refusal) else 404)
        return Response(status_code=404) if drawn is None else Response(drawn, media_type="image/webp", headers=headers)

    def _draw(self, uuid: str, _sha256: bytes) -> bytes | None:
        with self._services.database.reading() as connection:
            file = read_any(connection, uuid)
        return None if file is None else thumbnail(self._services.blobs.picture(file))


# A clock that was frozen for a while runs behind the real one.
_SIDES = ("ahead", "behind")


def _header(services: Services) -> dict[str, Any]:
    """Return what every page's header shows: how much is stored, moved clocks, and waiting plans and rules."""
    services.refresh()
    states = {owner: services.clocks.clock_of(owner) for owner in (ALL_ACCOUNTS, *services.clocks.own_clocks())}
    moved = {
        owner: "frozen"
        if clock.frozen_at is not None
        else f"{short(write_span(timedelta(milliseconds=abs(clock.offset_ms))))} {_SIDES[clock.offset_ms < 0]}"
        for owner, clock in states.items()
        if clock != ClockState()
    }
    status = state.status(services, "")
    return {"media": status.media, "journal": status.journal, "clocks": moved, "plans": waiting_plans(services)}


def _anchor(plan: PlanState, shown: Sequence[PlanState]) -> str:
    """Return the name of a plan, with its account if another one has a plan of that name and this is not the last."""
    same = [one.account for one in shown if one.name == plan.name]
    return plan.name if plan.account == same[-1] else f"{plan.name}+{plan.account or 'all'}"


def _spec(plan: PlanState) -> dict[str, Any]:
    """Return the JSON that would create the same plan again."""
    faults = [fault.model_dump(mode="json", exclude={"seen", "met", "remaining"}) for fault in plan.faults]
    given = [{name: value for name, value in one.items() if value not in (None, "", {})} for one in faults]
    return {"name": plan.name, "faults": given, "must_be_met": plan.must_be_met, "by_name_only": plan.by_name_only}


def _has_stored(entry: Entry, uuid: str) -> bool:
    """Tell whether a task has stored this medium."""
    return any(uuid in (item.get("imageUUID"), item.get("mediaUUID")) for item in entry.answer)


def _shown(services: Services, medium: Medium) -> dict[str, Any]:
    """Add what only the page needs: the path on this host, and how much of its time is left, 0 to 1."""
    share = min(1.0, medium.time_left / max(timedelta(seconds=1), services.settings.retention))
    path, left = urlsplit(medium.url).path, short(write_duration(medium.time_left))
    return {**_json(medium), "path": path, "left_share": round(share, 3), "left": left}


def _json(answer: Answer) -> dict[str, Any]:
    return answer.model_dump(mode="json", exclude_unset=True)


def _older(request: Request, before: int | None) -> str | None:
    """Return the address of the next page, with the same filters."""
    return None if before is None else "?" + urlencode({**request.query_params, "before": before})


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004 - digits that a database takes
        raise not_found(f"{text[:40]!r} is not a number")
    return int(text)
