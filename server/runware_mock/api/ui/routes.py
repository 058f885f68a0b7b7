"""The routes of the page: each fills one template with what a control function returns."""

import asyncio
import re
from collections import OrderedDict
from concurrent.futures import Executor
from datetime import timedelta
from typing import Any, get_args
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from runware_mock.api.dependencies import base_url
from runware_mock.api.failures import GuardedRoute
from runware_mock.api.ui.changes import Changes
from runware_mock.api.ui.pages import HEADERS, page, wants_page
from runware_mock.control import clocks, snapshots
from runware_mock.control import media as stored
from runware_mock.control.calls import not_found
from runware_mock.control.journal import Filter, list_entries
from runware_mock.control.plans import list_plans
from runware_mock.control.state import labels
from runware_mock.control_models import Answer, Medium
from runware_mock.images.codec import thumbnail
from runware_mock.images.formats import FORMATS
from runware_mock.protocol.errors import Refusal
from runware_mock.services import Services
from runware_mock.storage.blobs import ObjectGone
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.media import read_any, sha256_of
from runware_mock.tasks import TASKS
from runware_mock.values import write_duration

_METHODS = ["GET", "HEAD"]
_PER_PAGE = 60
_ENTRIES = 100


def router(services: Services, changes: Changes, threads: Executor | None = None) -> APIRouter:
    """Return `GET /` of a browser and everything under `/ui`; thumbnails are drawn in `threads`, if there are any."""
    api = APIRouter(route_class=GuardedRoute, include_in_schema=False)
    thumbnails = Thumbnails(services)

    @api.api_route("/", methods=_METHODS)
    def gallery(request: Request) -> HTMLResponse:
        """Show the media, the newest first."""
        if not wants_page(request.scope):
            # To a program this is the address of the API.
            raise HTTPException(405)
        query = request.query_params
        state = query.get("state") or "alive"
        if state not in get_args(stored.State):
            raise not_found(f"There is no state {state[:40]!r}.")
        before = _number(query.get("before"))
        chosen = stored.Filter(query.get("format"), query.get("task_type"), query.get("text"), state, before)
        url = base_url(request.scope, services)
        found = stored.list_media(services, _account(request), url, chosen, _PER_PAGE)
        values = {
            "media": [_shown(services, one) for one in found.media],
            "total": found.total,
            "formats": FORMATS,
            "older": _older(request, found.next_before),
        }
        return page(request, "gallery.html", _shared(services) | values)

    @api.api_route("/ui/media/{uuid}", methods=_METHODS)
    def medium(request: Request, uuid: str) -> HTMLResponse:
        """Show one medium, with the journal entries that name it."""
        url = base_url(request.scope, services)
        found = stored.get_medium(services, ALL_ACCOUNTS, url, uuid)
        named = list_entries(services, found.account, Filter(text=found.uuid), _ENTRIES)
        values = {"medium": _shown(services, found), "entries": _json(named)["entries"], "server": url}
        return page(request, "medium.html", _shared(services) | values)

    @api.api_route("/ui/journal", methods=_METHODS)
    def journal(request: Request) -> HTMLResponse:
        """Show the tasks and their answers, the newest first."""
        query = request.query_params
        chosen = Filter(
            task_type=query.get("task_type") or None,
            outcome=query.get("outcome") or None,
            text=query.get("text") or None,
            before=_number(query.get("before")),
        )
        found = list_entries(services, _account(request), chosen, _ENTRIES)
        values = {"entries": _json(found)["entries"], "older": _older(request, found.next_before)}
        return page(request, "journal.html", _shared(services) | values)

    @api.api_route("/ui/controls", methods=_METHODS)
    def controls(request: Request) -> HTMLResponse:
        """Show the clock, the fault plans and the snapshots of an account."""
        account_id = _account(request)
        now_at = services.now_at(account_id)
        ahead = {
            days: stored.forecast(services, account_id, now_at + days * 86_400_000).would_purge for days in (1, 31)
        }
        values = {
            "account_id": account_id,
            "clock": _json(clocks.show(services, account_id)),
            "ahead": ahead,
            "plans": list_plans(services, account_id).plans,
            "snapshots": []
            if account_id == ALL_ACCOUNTS
            else _json(snapshots.list_snapshots(services, account_id))["snapshots"],
        }
        return page(request, "controls.html", _shared(services) | values)

    @api.api_route("/ui", methods=_METHODS)
    def start() -> RedirectResponse:
        """Lead to the gallery."""
        return RedirectResponse("/")

    @api.api_route("/ui/thumbnails/{uuid}", methods=_METHODS)
    async def show_thumbnail(request: Request, uuid: str) -> Response:
        """Return a small WebP of a medium."""
        known = request.headers.get("if-none-match")
        return await asyncio.get_running_loop().run_in_executor(threads, thumbnails.response, uuid.lower(), known)

    @api.get("/ui/events")
    async def events() -> StreamingResponse:
        """Stream an event whenever something has changed."""
        return StreamingResponse(changes.events(), media_type="text/event-stream", headers=HEADERS)

    return api


class Thumbnails:
    """Draws thumbnails and keeps the newest, by the SHA-256 of what was sent: a UUID may be given again."""

    _MOST = 3000

    def __init__(self, services: Services) -> None:
        self._services = services
        self._drawn: OrderedDict[bytes, bytes | None] = OrderedDict()

    def response(self, uuid: str, if_none_match: str | None) -> Response:
        """Return the thumbnail of a medium, or 404 where there is none now."""
        with self._services.database.reading() as connection:
            sha256 = sha256_of(connection, uuid)
        if sha256 is None:
            return Response(status_code=404)
        headers = {"Cache-Control": "private, no-cache", "ETag": f'"{sha256.hex()}"'}
        if if_none_match == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        try:
            drawn = self._drawn[sha256] if sha256 in self._drawn else self._draw(uuid)
        except (ObjectGone, Refusal) as error:
            # Next time the file may be there.
            return Response(status_code=error.status if isinstance(error, Refusal) else 404)
        self._drawn[sha256] = drawn
        if len(self._drawn) > self._MOST:
            self._drawn.popitem(last=False)
        return Response(status_code=404) if drawn is None else Response(drawn, media_type="image/webp", headers=headers)

    def _draw(self, uuid: str) -> bytes | None:
        with self._services.database.reading() as connection:
            file = read_any(connection, uuid)
        return None if file is None else thumbnail(self._services.blobs.picture(file))


def _shared(services: Services) -> dict[str, Any]:
    """Return what every page shows."""
    return {"labels": labels(services), "task_types": list(TASKS)}


def _shown(services: Services, medium: Medium) -> dict[str, Any]:
    """Add what only the page needs: an address on this very host, and how much of its time is left, 0 to 1."""
    share = min(1.0, medium.time_left / max(timedelta(seconds=1), services.settings.retention))
    # Two units are enough to look at: 29d23h.
    left = "".join(re.findall(r"[\d.]+[a-z]+", write_duration(medium.time_left))[:2])
    return {**_json(medium), "path": urlsplit(medium.url).path, "left_share": round(share, 3), "left": left}


def _json(answer: Answer) -> dict[str, Any]:
    return answer.model_dump(mode="json", exclude_unset=True)


def _account(request: Request) -> int:
    return _number(request.query_params.get("account")) or ALL_ACCOUNTS


def _older(request: Request, before: int | None) -> str | None:
    """Return the address of the next page, with the same filters."""
    return None if before is None else "?" + urlencode({**request.query_params, "before": before})


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004 - digits that a database takes
        raise not_found(f"{text[:40]!r} is no number")
    return int(text)
