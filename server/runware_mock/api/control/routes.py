"""The endpoints of the control API: each reads its parameters and calls one function."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field as Bounds
from pydantic import WithJsonSchema

from runware_mock.api.control.who import LARGEST_ID, Account, AccountNeeded
from runware_mock.api.dependencies import base_url
from runware_mock.api.failures import GuardedRoute
from runware_mock.clock import monotonic_s
from runware_mock.control import accounts, archive, clocks, journal, media, models, plans, snapshots, state
from runware_mock.control.journal import Filter
from runware_mock.control.refusals import ControlRefused
from runware_mock.control.times import read_at, read_span
from runware_mock.faults.plans import Plan, PlanState
from runware_mock.services import Services
from runware_mock.webhooks import UnderWay

Json = dict[str, Any]
_BINARY = "application/octet-stream"
_BYTES: Json = {"schema": {"type": "string", "format": "binary"}}
_FILE: Json = {"requestBody": {"required": True, "content": {_BINARY: _BYTES}}}

_POLL_S = 0.02
_MOST_WAITED_S = 600.0
# More are no instant, and Python refuses to read very many.
_DIGITS = 20

Id = Annotated[int, Bounds(ge=0, le=LARGEST_ID)]


def _filter(
    task_type: str | None = None,
    task_uuid: str | None = None,
    outcome: Literal["success", "error", "fault", "crash"] | None = None,
    transport: Literal["rest", "ws"] | None = None,
    code: Annotated[str | None, Query(description="Code of the error.")] = None,
    sha256: Annotated[str | None, Query(description="SHA-256 of the uploaded file, in hex.")] = None,
    text: Annotated[str | None, Query(description="Stands in the task or its answer.")] = None,
    since: Annotated[Id | None, Query(description="Only entries after this id.")] = None,
    before: Annotated[Id | None, Query(description="Only entries before this id.")] = None,
) -> Filter:
    return Filter(task_type, task_uuid, outcome, transport, code, sha256, text, since, before)


Filtered = Annotated[Filter, Depends(_filter)]
Limit = Annotated[int, Query(ge=1, le=1000)]
At = Annotated[
    object,
    Body(embed=True, description="An ISO 8601 instant, or milliseconds since 1970."),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
]
By = Annotated[
    object, Body(embed=True, description="A duration such as 31d or 2h30m."), WithJsonSchema({"type": "string"})
]


def router(services: Services) -> APIRouter:  # noqa: C901, PLR0915 - a table of endpoints, each of a line or two
    """Return the endpoints."""
    api = APIRouter(route_class=GuardedRoute)

    @api.get("/status", tags=["state"])
    def status(request: Request) -> models.Status:
        """Tell the version, the settings that differ from their default, and how much is stored."""
        return state.status(services, base_url(request.scope, services))

    @api.get("/accounts", tags=["state"])
    def list_accounts() -> models.Accounts:
        """List the accounts: masked label, clock, how much each has."""
        return models.Accounts(accounts=accounts.list_accounts(services))

    @api.get("/clock", tags=["clock"])
    def show_clock(account_id: Account) -> models.Clock:
        """Show a clock: an account's, or that of all accounts."""
        return clocks.show(services, account_id)

    @api.post("/clock/freeze", tags=["clock"])
    def freeze_clock(account_id: Account) -> models.Clock:
        """Stop the clock."""
        return clocks.freeze(services, account_id)

    @api.post("/clock/resume", tags=["clock"])
    def resume_clock(account_id: Account) -> models.Clock:
        """Let the clock run on from where it stands."""
        return clocks.resume(services, account_id)

    @api.post("/clock/reset", tags=["clock"])
    def reset_clock(account_id: Account) -> models.Clock:
        """Go back to the real time."""
        return clocks.reset(services, account_id)

    @api.post("/clock/set", tags=["clock"])
    async def set_clock(account_id: Account, at: At) -> models.Moved:
        """Move the clock ahead to an instant; whatever falls due has happened when this answers."""
        return await _moved(services, clocks.set_to, account_id, at)

    @api.post("/clock/advance", tags=["clock"])
    async def advance_clock(account_id: Account, by: By) -> models.Moved:
        """Move the clock ahead by a duration such as "31d"; whatever falls due has happened when this answers."""
        return await _moved(services, clocks.advance, account_id, by)

    @api.get("/media", tags=["media"])
    def list_media(
        request: Request,
        account_id: Account,
        limit: Limit = 50,
        before: Id | None = None,
        format: str | None = None,  # noqa: A002 - the name of the query's field
        task_type: str | None = None,
        text: str | None = None,
        state: str = "alive",
    ) -> models.Media:
        """List media, the newest first."""
        return media.list_media(
            services,
            account_id,
            base_url(request.scope, services),
            limit=limit,
            before=before,
            picture_format=format,
            task_type=task_type,
            text=text,
            state=state,
        )

    @api.post("/media", tags=["media"], status_code=201, openapi_extra=_FILE)
    async def add_medium(
        request: Request, account_id: AccountNeeded, uuid: str | None = None, age: str | None = None
    ) -> models.Medium:
        """Store the body, a picture or any other medium, as if it had been uploaded `age` ago."""
        data = await _body(request, services)
        added = await run_in_threadpool(media.add_medium, services, account_id, data, uuid=uuid, age=age)
        return await asyncio.to_thread(media.get_medium, services, account_id, base_url(request.scope, services), added)

    @api.get("/media/{uuid}", tags=["media"])
    def get_medium(request: Request, account_id: Account, uuid: str) -> models.Medium:
        """Show one medium."""
        return media.get_medium(services, account_id, base_url(request.scope, services), uuid)

    @api.delete("/media/{uuid}", tags=["media"])
    def delete_medium(account_id: Account, uuid: str) -> models.Deleted:
        """Remove one medium."""
        return models.Deleted(deleted=media.delete_medium(services, account_id, uuid))

    @api.get("/forecast", tags=["media"])
    def forecast(
        account_id: Account, at: str | None = None, within: Annotated[str | None, Query(alias="in")] = None
    ) -> models.Forecast:
        """Tell when each medium expires, and what a purge would remove then, without removing it."""
        seen_at = None if at is None else read_at(int(at) if at.isdecimal() and len(at) < _DIGITS else at, "at")
        if within is not None:
            span = read_span(within, "in")
            seen_at = read_at(services.now_at(account_id) + int(span.total_seconds() * 1000), "in")
        return media.forecast(services, account_id, seen_at)

    @api.post("/purge", tags=["media"])
    def purge(account_id: Account) -> models.Purged:
        """Remove what has expired."""
        return clocks.purge(services, account_id)

    @api.get("/journal", tags=["journal"])
    def list_journal(account_id: Account, chosen: Filtered, limit: Limit = 100) -> models.Entries:
        """List entries, the newest first."""
        return journal.list_entries(services, account_id, chosen, limit)

    @api.get("/journal/count", tags=["journal"])
    def count_journal(account_id: Account, chosen: Filtered) -> models.Count:
        """Count entries."""
        return models.Count(count=journal.count_entries(services, account_id, chosen))

    @api.get("/journal/wait", tags=["journal"])
    async def wait_for_journal(
        account_id: Account,
        chosen: Filtered,
        count: Annotated[int, Query(ge=1)] = 1,
        timeout: str = "5s",  # noqa: ASYNC109 - the caller's patience, sent over
    ) -> models.Waited:
        """Wait until so many entries are there."""
        patience_s = min(read_span(timeout, "timeout").total_seconds(), _MOST_WAITED_S)
        give_up_s = monotonic_s() + patience_s
        while (there := await asyncio.to_thread(journal.count_entries, services, account_id, chosen)) < count:
            if monotonic_s() >= give_up_s:
                raise ControlRefused(
                    f"there were {there} entries after {timeout}, not {count}", "count", "timeout", 408
                )
            await asyncio.sleep(_POLL_S)
        found = await asyncio.to_thread(journal.list_entries, services, account_id, chosen, min(there, 1000))
        return models.Waited(count=there, entries=found.entries)

    @api.get("/journal/{id}", tags=["journal"])
    def get_entry(account_id: Account, entry_id: Annotated[Id, Path(alias="id")]) -> models.Entry:
        """Show one entry."""
        return journal.get_entry(services, account_id, entry_id)

    @api.delete("/journal", tags=["journal"])
    def clear_journal(account_id: Account) -> models.Deleted:
        """Forget every entry."""
        return models.Deleted(deleted=journal.clear(services, account_id))

    @api.post("/reset", tags=["state"])
    def reset(account_id: Account, scope: Annotated[str, Body(embed=True)] = "all") -> models.Reset:
        """Forget all, media, journal, faults or clock."""
        return state.reset(services, account_id, scope)

    @api.get("/snapshots", tags=["state"])
    def list_snapshots(account_id: AccountNeeded) -> models.Snapshots:
        """List the snapshots of an account."""
        return models.Snapshots(snapshots=snapshots.list_snapshots(services, account_id))

    @api.post("/snapshots/{name}", tags=["state"], status_code=201)
    def save_snapshot(account_id: AccountNeeded, name: str) -> models.Snapshot:
        """Keep the account's state under a name."""
        return snapshots.save(services, account_id, name)

    @api.post("/snapshots/{name}/restore", tags=["state"])
    def restore_snapshot(account_id: AccountNeeded, name: str) -> models.Snapshot:
        """Put the account back into that state."""
        return snapshots.restore(services, account_id, name)

    @api.delete("/snapshots/{name}", tags=["state"])
    def delete_snapshot(account_id: AccountNeeded, name: str) -> models.Deleted:
        """Forget a snapshot."""
        return models.Deleted(deleted=snapshots.remove(services, account_id, name))

    @api.get("/export", tags=["state"], response_class=Response, responses={200: {"content": {_BINARY: _BYTES}}})
    def export(account_id: AccountNeeded) -> Response:
        """Download the account's whole state as one file."""
        headers = {"Content-Disposition": 'attachment; filename="runware-mock.zip"'}
        return Response(archive.export(services, account_id), headers=headers, media_type=_BINARY)

    @api.post("/import", tags=["state"], openapi_extra=_FILE)
    async def load(request: Request, account_id: AccountNeeded) -> models.Loaded:
        """Give the account the state of such a file, in place of its own."""
        data = await _body(request, services)
        return await run_in_threadpool(archive.load, services, account_id, data)

    @api.post("/faults", tags=["faults"], status_code=201)
    def add_plan(account_id: Account, plan: Plan) -> PlanState:
        """Make a plan: for the account, or without one for all accounts."""
        return plans.add_plan(services, account_id, plan)

    @api.get("/faults", tags=["faults"])
    def list_plans(account_id: Account) -> models.Plans:
        """List the plans, with what remains of them and what was met."""
        return models.Plans(plans=plans.list_plans(services, account_id))

    @api.get("/faults/{name}", tags=["faults"])
    def get_plan(account_id: Account, name: str) -> PlanState:
        """Show one plan."""
        return plans.get_plan(services, account_id, name)

    @api.delete("/faults/{name}", tags=["faults"])
    def delete_plan(account_id: Account, name: str) -> models.Deleted:
        """Drop one plan."""
        return models.Deleted(deleted=plans.delete_plans(services, account_id, name))

    @api.delete("/faults", tags=["faults"])
    def delete_plans(account_id: Account) -> models.Deleted:
        """Drop every plan of the account."""
        return models.Deleted(deleted=plans.delete_plans(services, account_id))

    return api


async def _moved(services: Services, move: Callable[..., models.Moved], account_id: int, to: object) -> models.Moved:
    """Move a clock as soon as no request is being made that will have to be made again."""
    give_up_s = monotonic_s() + services.settings.fetch_timeout.total_seconds()
    while monotonic_s() < give_up_s:
        try:
            return await asyncio.to_thread(move, services, account_id, to, is_patient=True)
        except UnderWay:
            await asyncio.sleep(_POLL_S)
    return await asyncio.to_thread(move, services, account_id, to)


async def _body(request: Request, services: Services) -> bytes:
    limit_bytes = services.settings.max_message_bytes
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise ControlRefused(
                f"the body is longer than {limit_bytes} bytes (--max-message-bytes)", "body", status=413
            )
    return bytes(body)
