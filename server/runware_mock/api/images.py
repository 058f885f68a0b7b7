"""GET and HEAD of stored pictures; no key is needed, as with the real service's image host."""

import asyncio
import re
from concurrent.futures import Executor

from fastapi import APIRouter, Request
from starlette.responses import Response

from runware_mock.api.failures import CORS_HEADERS, AnsweringRoute, preflight
from runware_mock.api.fault_effects import PlannedResponse
from runware_mock.api.openapi import FILE_OPERATION
from runware_mock.faults.base import Event
from runware_mock.faults.matching import effects_of
from runware_mock.images.formats import FORMATS
from runware_mock.protocol.errors import refuse
from runware_mock.protocol.response_plan import ResponsePlan
from runware_mock.services import Services
from runware_mock.storage import media
from runware_mock.storage.blobs import Blobs, ObjectGone
from runware_mock.storage.contents import StoredFile

# `/image/ii/<uuid>.<ext>`, `/image/ws/<n>/ii/<uuid>.<ext>`, `/image/os/…/<uuid>.<ext>`: any extension, in any case.
_PATHS = ("/image/{path:path}", "/video/{path:path}", "/audio/{path:path}", "/3d/{path:path}")
_FILE_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.\w+", re.IGNORECASE)
_HEADERS = {
    **CORS_HEADERS,
    "Accept-Ranges": "bytes",
    "Cache-Control": "no-cache",
    # Uploads are never executed: neither as a page nor as a script inside an SVG.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
_OF_THE_BODY = ("content-length", "content-type")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def router(services: Services, threads: Executor | None = None) -> APIRouter:
    """Return the routes that an imageURL points at; files that are slow to read are read in `threads`, if given."""
    api = APIRouter(route_class=AnsweringRoute)

    async def get_file(request: Request) -> Response:
        """Return the stored bytes, or 404 once the file has expired."""
        match = _FILE_NAME.fullmatch(request.url.path.rpartition("/")[2])
        uuid = match[1].lower() if match else ""
        return await asyncio.get_running_loop().run_in_executor(threads, _answer, services, request, uuid)

    for path in _PATHS:
        api.add_api_route(
            path,
            get_file,
            name=f"get_{path.split('/')[1]}",
            methods=["GET"],
            response_class=Response,
            openapi_extra=FILE_OPERATION,
        )
        api.add_api_route(path, get_file, methods=["HEAD"], include_in_schema=False)
        api.add_api_route(path, preflight, methods=["OPTIONS"], include_in_schema=False)
    return api


def _answer(services: Services, request: Request, uuid: str) -> Response:
    with services.database.reading() as connection:
        services.clocks.refresh(connection)
        found = media.read_served(connection, uuid, services.moment)
    if found is None:
        raise refuse("mediaNotFound", "It was never stored here, or has expired.")
    account_id, file = found
    plan = _met_by_download(services, request, account_id, uuid)
    response = _file_response(services, request, file)
    return response if plan is None else _planned(response, plan)


def _met_by_download(services: Services, request: Request, account_id: int, uuid: str) -> ResponsePlan | None:
    """Return what a download of an account's medium meets; raises the refusal that it is answered with, if it is."""
    # Our own page shows pictures, too. Only a page of this very server is of the same origin.
    is_own_page = request.headers.get("sec-fetch-site") == "same-origin"
    if request.method != "GET" or is_own_page or not services.clocks.is_planned(account_id):
        return None
    named = request.headers.get("x-runware-mock-plan")
    event = Event("download", "rest", plan=named, media_uuid=uuid)
    plan, refusal = effects_of(services.faults.meet(account_id, event))
    if refusal is not None:
        raise refusal
    return plan


def _planned(response: Response, plan: ResponsePlan) -> Response:
    headers = {name: value for name, value in response.headers.items() if name not in _OF_THE_BODY}
    content_type, body = response.headers.get("content-type"), bytes(response.body)
    return PlannedResponse(response.status_code, body, headers, plan, content_type, "latin-1")


def _file_response(services: Services, request: Request, file: StoredFile) -> Response:
    # Made from the content: after a reset or an import, a UUID may name another picture.
    etag = f'"{file.sent_sha256.hex()}"'
    headers = {**_HEADERS, "ETag": etag}
    if _matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    try:
        return _ranged(services.blobs, request, file, headers)
    except ObjectGone:
        raise refuse("mediaNotFound", "Its file is gone from the object storage.") from None


def _ranged(files: Blobs, request: Request, file: StoredFile, headers: dict[str, str]) -> Response:
    content_type, size = FORMATS[file.format].content_type, file.size_bytes
    wanted = _wanted_range(request, size, headers["ETag"])
    if wanted is not None and not wanted:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    if wanted is not None:
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    status = 200 if wanted is None else 206
    if request.method == "HEAD":
        # One byte proves that GET would find the file.
        files.read(file, range(1))
        headers["Content-Length"] = str(size if wanted is None else len(wanted))
        return Response(None, status, media_type=content_type, headers=headers)
    return Response(files.read(file, wanted), status, media_type=content_type, headers=headers)


def _wanted_range(request: Request, size: int, etag: str) -> range | None:
    """Return the one byte range asked for (empty if it cannot be met), or None for the whole file.

    RFC 9110, section 14.2: "A server MAY ignore the Range header field"; several ranges, other units and a range for
    another version (If-Range) get the whole file.
    """
    match = _RANGE.fullmatch(request.headers.get("range", ""))
    if match is None or match[0] == "bytes=-" or request.headers.get("if-range", etag) != etag:
        return None
    first, last = match[1], match[2]
    if not first:
        return range(max(0, size - int(last)), size)
    end = min(size, int(last) + 1) if last else size
    if last and int(last) < int(first):
        return None
    return range(int(first), end)


def _matches(if_none_match: str | None, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in tags or "*" in tags
