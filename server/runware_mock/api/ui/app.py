"""The routes of the page: each fills one template with what a control function returns."""

import asyncio
import json
import logging
import re
from collections import OrderedDict
from concurrent.futures import Executor
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from runware_mock import __version__
from runware_mock.api.control.guard import TOKEN_COOKIE, check_caller
from runware_mock.api.dependencies import base_url
from runware_mock.api.ui.changes import Changes
from runware_mock.api.ui.files import static_file
from runware_mock.control.refusals import ControlRefused, not_found
from runware_mock.images.formats import FORMATS
from runware_mock.protocol.errors import Refusal
from runware_mock.services import Services
from runware_mock.storage import media as stored_media
from runware_mock.storage.objects import ObjectGone
from runware_mock.storage.owners import ALL_ACCOUNTS
from runware_mock.units import parse_duration

if TYPE_CHECKING:
    from jinja2 import Environment

_log = logging.getLogger(__name__)

PAGE_PATHS = ("/ui", "/ui/")
_FILTERS = ("account", "format", "task_type", "state", "outcome", "text")
_PER_PAGE = 60
_ENTRIES = 100
_THUMBNAILS = 3000
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Page:
    """Answers `GET /` of a browser and everything under `/ui`; thumbnails are drawn in `threads`, if there are any."""

    def __init__(self, services: Services, threads: Executor | None = None) -> None:
        self._services = services
        self._threads = threads
        self._changes: Changes | None = None
        self._thumbnails: OrderedDict[str, bytes | None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of somebody who may look."""
        request = Request(scope, receive)
        try:
            check_caller(request, self._services.settings)
            await self._router(scope, receive, send)
        except ControlRefused as refused:
            await self._refused(request, refused)(scope, receive, send)
        except Exception:  # noqa: BLE001 - the page of a mock that stumbles says so
            _log.exception("the page %s failed", scope["path"])
            failed = ControlRefused("runware-mock itself failed; its log says more.", status=500)
            await self._refused(request, failed)(scope, receive, send)

    async def close(self) -> None:
        """End the streams of open pages."""
        if self._changes is not None:
            await self._changes.close()

    @cached_property
    def _router(self) -> ASGIApp:
        pages = {
            "/": self._gallery,
            "/ui/media/{uuid}": self._medium,
            "/ui/journal": self._journal,
            "/ui/controls": self._controls,
        }
        routes = [Route(path, partial(self._show, fill)) for path, fill in pages.items()]

        async def nowhere(scope: Scope, _receive: Receive, _send: Send) -> None:
            raise not_found(f"There is no page {scope['path'][:100]}.")

        return Router(
            default=nowhere,
            routes=[
                *routes,
                Route("/ui", lambda _request: RedirectResponse("/")),
                Route("/ui/thumbnails/{uuid}", self._thumbnail),
                Route("/ui/events", self._events),
                Route("/ui/static/{name}", static_file),
            ],
        )

    @cached_property
    def _templates(self) -> "Environment":
        from jinja2 import Environment, PackageLoader, StrictUndefined

        made = Environment(
            loader=PackageLoader("runware_mock.api.ui"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        made.filters["pretty"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False)
        made.filters["size"] = _size
        return made

    async def _show(self, fill: Any, request: Request) -> Response:
        name, values = await asyncio.to_thread(fill, request)
        query = {name: request.query_params.get(name, "") for name in _FILTERS}
        html = self._templates.get_template(name).render(
            base=_base(request), path=request.url.path, version=__version__, query=query, **values
        )
        response = HTMLResponse(html, headers=_HEADERS)
        if token := request.query_params.get("token"):
            response.set_cookie(
                TOKEN_COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https"
            )
        return response

    def _refused(self, request: Request, refused: ControlRefused) -> Response:
        html = self._templates.get_template("refused.html").render(
            base=_base(request), path=request.url.path, version=__version__, query={}, error=refused
        )
        return HTMLResponse(html, refused.status, headers=_HEADERS)

    def _gallery(self, request: Request) -> tuple[str, dict[str, Any]]:
        from runware_mock.control.media import list_media

        query = request.query_params
        found = list_media(
            self._services,
            _account(request),
            base_url(request.scope, self._services),
            limit=_PER_PAGE,
            before=_number(query.get("before")),
            picture_format=query.get("format") or None,
            task_type=query.get("task_type") or None,
            text=query.get("text") or None,
            state=query.get("state") or "alive",
        )
        return "gallery.html", {
            **self._shared(),
            "media": [self._shown(one) for one in found["media"]],
            "total": found["total"],
            "formats": FORMATS,
            "older": _older(request, found["next_before"]),
        }

    def _medium(self, request: Request) -> tuple[str, dict[str, Any]]:
        from runware_mock.control.journal import Filter, list_entries
        from runware_mock.control.media import get_medium

        url = base_url(request.scope, self._services)
        medium = get_medium(self._services, ALL_ACCOUNTS, url, request.path_params["uuid"])
        named = list_entries(self._services, medium["account"], Filter(text=medium["uuid"]), _ENTRIES)
        return "medium.html", {
            **self._shared(),
            "medium": self._shown(medium),
            "entries": named["entries"],
            "server": url,
        }

    def _journal(self, request: Request) -> tuple[str, dict[str, Any]]:
        from runware_mock.control.journal import Filter, list_entries

        query = request.query_params
        chosen = Filter(
            task_type=query.get("task_type") or None,
            outcome=query.get("outcome") or None,
            text=query.get("text") or None,
            before=_number(query.get("before")),
        )
        found = list_entries(self._services, _account(request), chosen, _ENTRIES)
        older = _older(request, found["next_before"])
        return "journal.html", {**self._shared(), "entries": found["entries"], "older": older}

    def _controls(self, request: Request) -> tuple[str, dict[str, Any]]:
        from runware_mock.control import clocks, media, snapshots
        from runware_mock.control.plans import list_plans
        from runware_mock.control.times import read_at

        account_id = _account(request)
        clock = clocks.show(self._services, account_id)
        now_at = self._services.now_at(account_id)
        ahead = {
            days: media.forecast(self._services, account_id, read_at(now_at + days * 86_400_000, "at"))["would_purge"]
            for days in (1, 31)
        }
        return "controls.html", {
            **self._shared(),
            "account_id": account_id,
            "clock": clock,
            "ahead": ahead,
            "plans": list_plans(self._services, account_id),
            "snapshots": [] if account_id == ALL_ACCOUNTS else snapshots.list_snapshots(self._services, account_id),
        }

    def _shown(self, medium: dict[str, Any]) -> dict[str, Any]:
        """Add what only the page needs: an address on this very host, and how much of its time is left, 0 to 1."""
        left_s = parse_duration(medium["time_left"]).total_seconds()
        share = min(1.0, left_s / max(1.0, self._services.settings.retention.total_seconds()))
        # Two units are enough to look at: 29d23h.
        left = "".join(re.findall(r"[\d.]+[a-z]+", medium["time_left"])[:2])
        return {**medium, "path": urlsplit(medium["url"]).path, "left_share": round(share, 3), "left": left}

    def _shared(self) -> dict[str, Any]:
        from runware_mock.control.accounts import labels
        from runware_mock.tasks import TASKS

        return {"labels": labels(self._services), "task_types": list(TASKS)}

    async def _thumbnail(self, request: Request) -> Response:
        uuid = request.path_params["uuid"].lower()
        if uuid not in self._thumbnails:
            try:
                thumbnails = asyncio.get_running_loop().run_in_executor(self._threads, self._draw, uuid)
                self._thumbnails[uuid] = await thumbnails
            except (ObjectGone, Refusal) as error:
                # Next time the file may be there.
                return Response(status_code=error.status if isinstance(error, Refusal) else 404)
            if len(self._thumbnails) > _THUMBNAILS:
                self._thumbnails.popitem(last=False)
        drawn = self._thumbnails[uuid]
        if drawn is None:
            return Response(status_code=404)
        # What a UUID names never changes.
        return Response(drawn, media_type="image/webp", headers={"Cache-Control": "private, max-age=86400, immutable"})

    def _draw(self, uuid: str) -> bytes | None:
        from runware_mock.images.thumbnail import thumbnail

        with self._services.database.reading() as connection:
            file = stored_media.read_any(connection, uuid)
        return None if file is None else thumbnail(self._services.files.picture(file))

    async def _events(self, _request: Request) -> Response:
        from runware_mock.control.change_token import change_token

        if self._changes is None:
            self._changes = Changes(lambda: change_token(self._services))
        return StreamingResponse(self._changes.events(), media_type="text/event-stream", headers=_HEADERS)


def wants_page(scope: Scope) -> bool:
    """Tell whether a request is that of a browser for the page."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    if scope["path"] in PAGE_PATHS or scope["path"].startswith("/ui/"):
        return True
    return scope["path"] == "/" and any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def _account(request: Request) -> int:
    return _number(request.query_params.get("account")) or ALL_ACCOUNTS


def _base(request: Request) -> str:
    """Return what to fill: a page that is open already wants only what has changed on it."""
    return "fragment.html" if "x-fragment" in request.headers else "base.html"


def _older(request: Request, before: int | None) -> str | None:
    """Return the address of the next page, with the same filters."""
    return None if before is None else "?" + urlencode({**request.query_params, "before": before})


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004 - digits that a database takes
        raise not_found(f"{text[:40]!r} is no number")
    return int(text)


def _size(size_bytes: int) -> str:
    for unit, one in (("MB", 1_000_000), ("KB", 1000)):
        if size_bytes >= one:
            return f"{size_bytes / one:.1f} {unit}"
    return f"{size_bytes} bytes"
