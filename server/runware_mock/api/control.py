"""The control API under `/_mock`: each endpoint reads its parameters and calls one function."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from runware_mock import control_models as models
from runware_mock.answer_models import Rules, RuleState
from runware_mock.api.dependencies import (
    AccountId,
    At,
    AtInBody,
    Filtered,
    Limit,
    OneAccountId,
    Provided,
    Span,
    SpanInBody,
    base_url,
)
from runware_mock.api.failures import PREFIX, GuardedRoute, Refused
from runware_mock.clock import in_ms, monotonic_s
from runware_mock.control import answers, archive, clocks, journal, media, plans, seeding, state
from runware_mock.control.calls import ControlRefused, Id
from runware_mock.faults.plans import Plan
from runware_mock.faults.tables import all_tables
from runware_mock.services import Services
from runware_mock.webhooks import UnderWay

_BINARY = "application/octet-stream"
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[str, Any] = {"requestBody": {"required": True, "content": {_BINARY: _BYTES}}}
_POLL_S = 0.02
_LONGEST_WAIT_S = 600.0

# The routes are built once for all applications of a process: describing them to FastAPI takes 200 ms.
api = APIRouter(
    route_class=GuardedRoute,
    prefix=PREFIX,
    # A body without a Content-Type is read as JSON. GuardedRoute refuses pages of other hosts, which may send such.
    strict_content_type=False,
    generate_unique_id_function=lambda route: route.name,
    # Instead of FastAPI's own 422, which is never sent.
    responses={"4XX": {"model": Refused}, "500": {"model": Refused}},
)


@api.get("/status", tags=["state"])
def status(services: Provided, request: Request) -> models.Status:
    """Return the version, the settings that differ from their default, and how much is stored."""
    return state.status(services, base_url(request.scope, services))


@api.get("/accounts", tags=["state"])
def list_accounts(services: Provided) -> models.Accounts:
    """List the accounts: the masked key, the clock, and how much each account stores."""
    return state.list_accounts(services)


@api.get("/clock", tags=["clock"])
def show_clock(services: Provided, account_id: AccountId) -> models.Clock:
    """Show the clock of an account, or of all accounts."""
    return clocks.show(services, account_id)


@api.post("/clock/freeze", tags=["clock"])
def freeze_clock(services: Provided, account_id: AccountId) -> models.Clock:
    """Stop the clock."""
    return clocks.freeze(services, account_id)


@api.post("/clock/resume", tags=["clock"])
def resume_clock(services: Provided, account_id: AccountId) -> models.Clock:
    """Let a frozen clock run on."""
    return clocks.resume(services, account_id)


@api.post("/clock/reset", tags=["clock"])
def reset_clock(services: Provided, account_id: AccountId) -> models.Clock:
    """Go back to the real time."""
    return clocks.reset(services, account_id)


@api.post("/clock/set", tags=["clock"])
async def set_clock(services: Provided, account_id: AccountId, at: AtInBody) -> models.Moved:
    """Move the clock forward to an instant. The call answers once everything that fell due has happened."""
    return await _moved(services, clocks.set_to, account_id, at)


@api.post("/clock/advance", tags=["clock"])
async def advance_clock(services: Provided, account_id: AccountId, by: SpanInBody) -> models.Moved:
    """Move the clock forward, for example by "31d". The call answers once everything that fell due has happened."""
    return await _moved(services, clocks.advance, account_id, by)


@api.get("/media", tags=["media"])
def list_media(
    services: Provided,
    request: Request,
    account_id: AccountId,
    chosen: Annotated[media.Filter, Depends()],
    limit: Limit = 50,
) -> models.Media:
    """List media, the newest first."""
    return media.list_media(services, account_id, base_url(request.scope, services), chosen, limit)


@api.post("/media", tags=["media"], status_code=201, openapi_extra=_FILE)
async def add_medium(
    services: Provided, request: Request, account_id: OneAccountId, uuid: str | None = None, age: Span | None = None
) -> models.Medium:
    """Store the body, a picture or any other medium, as if it had been uploaded `age` ago."""
    data = await request.body()
    added = await run_in_threadpool(media.add_medium, services, account_id, data, uuid=uuid, age=age)
    return await asyncio.to_thread(media.get_medium, services, account_id, base_url(request.scope, services), added)


@api.get("/media/{uuid}", tags=["media"])
def get_medium(services: Provided, request: Request, account_id: AccountId, uuid: str) -> models.Medium:
    """Show one medium."""
    return media.get_medium(services, account_id, base_url(request.scope, services), uuid)


@api.delete("/media/{uuid}", tags=["media"])
def delete_medium(services: Provided, account_id: AccountId, uuid: str) -> models.Deleted:
    """Delete one medium."""
    return media.delete_medium(services, account_id, uuid)


@api.post("/media/{uuid}/expire", tags=["media"])
def expire_medium(services: Provided, request: Request, account_id: AccountId, uuid: str) -> models.Medium:
    """Make one medium expire now, by its account's clock."""
    media.expire_medium(services, account_id, uuid)
    return media.get_medium(services, account_id, base_url(request.scope, services), uuid)


@api.get("/forecast", tags=["media"])
def forecast(
    services: Provided,
    account_id: AccountId,
    at: At | None = None,
    within: Annotated[Span | None, Query(alias="in")] = None,
) -> models.Forecast:
    """Show when each medium expires, and what a purge would delete then, without deleting it."""
    seen_at = at if within is None else services.now_at(account_id) + in_ms(within)
    return media.forecast(services, account_id, seen_at)


@api.post("/purge", tags=["media"])
def purge(services: Provided, account_id: AccountId) -> models.Purged:
    """Delete what has expired."""
    return clocks.purge(services, account_id)


@api.get("/journal", tags=["journal"], response_model_exclude_unset=True)
def list_journal(services: Provided, account_id: AccountId, chosen: Filtered, limit: Limit = 100) -> models.Entries:
    """List entries, the newest first."""
    return journal.list_entries(services, account_id, chosen, limit)


@api.get("/journal/count", tags=["journal"])
def count_journal(services: Provided, account_id: AccountId, chosen: Filtered) -> models.Count:
    """Count entries."""
    return models.Count(count=journal.count_entries(services, account_id, chosen))


@api.get("/journal/wait", tags=["journal"], response_model_exclude_unset=True)
async def wait_for_journal(
    services: Provided,
    account_id: AccountId,
    chosen: Filtered,
    count: Annotated[int, Query(ge=1)] = 1,
    timeout: Annotated[Span | None, Query(description="How long to wait, 5s by default.")] = None,  # noqa: ASYNC109 - the client's patience
) -> models.Waited:
    """Wait until there are `count` entries."""
    patience = timedelta(seconds=5) if timeout is None else timeout
    give_up_s = monotonic_s() + min(patience.total_seconds(), _LONGEST_WAIT_S)
    while (there := await asyncio.to_thread(journal.count_entries, services, account_id, chosen)) < count:
        if monotonic_s() >= give_up_s:
            late = f"there were {there} entries after {models.write_span(patience)}, not {count}"
            raise ControlRefused(late, "count", "timeout", 408)
        await asyncio.sleep(_POLL_S)
    found = await asyncio.to_thread(journal.list_entries, services, account_id, chosen, min(there, 1000))
    return models.Waited(count=there, entries=found.entries)


@api.get("/journal/{id}", tags=["journal"], response_model_exclude_unset=True)
def get_entry(services: Provided, account_id: AccountId, entry_id: Annotated[Id, Path(alias="id")]) -> models.Entry:
    """Show one entry."""
    return journal.get_entry(services, account_id, entry_id)


@api.delete("/journal", tags=["journal"])
def clear_journal(services: Provided, account_id: AccountId) -> models.Deleted:
    """Delete every entry."""
    return journal.clear(services, account_id)


@api.get("/webhooks", tags=["webhooks"], response_model_exclude_unset=True)
def list_webhooks(services: Provided, account_id: AccountId, chosen: Filtered, limit: Limit = 100) -> models.Entries:
    """List the calls of webhooks, the newest first: the journal's entries of the kind `webhook`."""
    return journal.list_entries(services, account_id, replace(chosen, kind="webhook"), limit)


@api.post("/webhooks/{id}/resend", tags=["webhooks"])
def resend_webhook(
    services: Provided, account_id: AccountId, entry_id: Annotated[Id, Path(alias="id")]
) -> models.Queued:
    """Call a webhook again, with the body of the call that has this id in the journal."""
    return journal.resend_webhook(services, account_id, entry_id)


@api.post("/reset", tags=["state"])
def reset(services: Provided, account_id: AccountId, what: state.ToReset | None = None) -> models.Reset:
    """Delete all media, the journal and fault plans and reset the clock, or one of these."""
    return state.reset(services, account_id, what.scope if what else "all")


@api.get("/snapshots", tags=["state"])
def list_snapshots(services: Provided, account_id: OneAccountId) -> models.Snapshots:
    """List the snapshots of an account."""
    return state.list_snapshots(services, account_id)


@api.post("/snapshots/{name}", tags=["state"], status_code=201)
def save_snapshot(services: Provided, account_id: OneAccountId, name: str) -> models.Snapshot:
    """Save the account's state under a name."""
    return state.save_snapshot(services, account_id, name)


@api.post("/snapshots/{name}/restore", tags=["state"])
def restore_snapshot(services: Provided, account_id: OneAccountId, name: str) -> models.Snapshot:
    """Restore a saved state of the account."""
    return state.restore_snapshot(services, account_id, name)


@api.delete("/snapshots/{name}", tags=["state"])
def delete_snapshot(services: Provided, account_id: OneAccountId, name: str) -> models.Deleted:
    """Delete a snapshot."""
    return state.delete_snapshot(services, account_id, name)


@api.get("/export", tags=["state"], response_class=Response, responses={200: {"content": {_BINARY: _BYTES}}})
def export(services: Provided, account_id: OneAccountId) -> Response:
    """Download the account's whole state as one file."""
    headers = {"Content-Disposition": 'attachment; filename="runware-mock.zip"'}
    return Response(archive.export(services, account_id), headers=headers, media_type=_BINARY)


@api.get("/export/fixtures", tags=["state"], response_class=Response, responses={200: {"content": {_BINARY: _BYTES}}})
def export_fixtures(services: Provided, account_id: OneAccountId) -> Response:
    """Download the account's media as a zip of a folder for `--fixtures`: the files, and a manifest."""
    headers = {"Content-Disposition": 'attachment; filename="fixtures.zip"'}
    return Response(seeding.export(services, account_id), headers=headers, media_type=_BINARY)


@api.post("/import", tags=["state"], openapi_extra=_FILE)
async def load(services: Provided, request: Request, account_id: OneAccountId) -> models.Loaded:
    """Replace the account's state with that of an exported file."""
    return await run_in_threadpool(archive.load, services, account_id, await request.body())


@api.post(
    "/faults",
    tags=["faults"],
    status_code=201,
    description="Add a plan for the account, or for all accounts.\n\n"
    f"{all_tables()}\n\nA plan lists faults in the order in which they happen.",
)
def add_plan(services: Provided, account_id: AccountId, plan: Plan) -> models.PlanState:
    """Add a plan for the account, or for all accounts."""
    return plans.add_plan(services, account_id, plan)


@api.get("/faults", tags=["faults"])
def list_plans(services: Provided, account_id: AccountId) -> models.Plans:
    """List the plans, without a key those of every account: what was met, and what remains."""
    return plans.list_plans(services, account_id)


@api.get("/faults/{name}", tags=["faults"])
def get_plan(services: Provided, account_id: AccountId, name: str) -> models.PlanState:
    """Show one plan."""
    return plans.get_plan(services, account_id, name)


@api.delete("/faults/{name}", tags=["faults"])
def delete_plan(services: Provided, account_id: AccountId, name: str) -> models.Deleted:
    """Delete one plan."""
    return plans.delete_plans(services, account_id, name)


@api.delete("/faults", tags=["faults"])
def delete_plans(services: Provided, account_id: AccountId) -> models.Deleted:
    """Delete every plan of the account, or of all accounts."""
    return plans.delete_plans(services, account_id)


@api.post("/answers", tags=["answers"], status_code=201)
def add_rule(services: Provided, account_id: AccountId, rule: answers.Rule) -> RuleState:
    """Add a rule for the account, or for all accounts."""
    return answers.add_rule(services, account_id, rule)


@api.get("/answers", tags=["answers"])
def list_rules(services: Provided, account_id: AccountId) -> Rules:
    """List the rules, without a key those of every account: what was given, and what remains."""
    return answers.list_rules(services, account_id)


@api.get("/answers/{name}", tags=["answers"])
def get_rule(services: Provided, account_id: AccountId, name: str) -> RuleState:
    """Show one rule."""
    return answers.get_rule(services, account_id, name)


@api.delete("/answers/{name}", tags=["answers"])
def delete_rule(services: Provided, account_id: AccountId, name: str) -> models.Deleted:
    """Delete one rule."""
    return answers.delete_rules(services, account_id, name)


@api.delete("/answers", tags=["answers"])
def delete_rules(services: Provided, account_id: AccountId) -> models.Deleted:
    """Delete every rule of the account, or of all accounts, and no other plan."""
    return answers.delete_rules(services, account_id)


async def _moved(services: Services, move: Callable[..., models.Moved], account_id: int, to: object) -> models.Moved:
    """Move a clock as soon as no webhook is being sent, which may need a retry."""
    give_up_s = monotonic_s() + services.settings.fetch_timeout.total_seconds()
    while monotonic_s() < give_up_s:
        try:
            return await asyncio.to_thread(move, services, account_id, to, is_patient=True)
        except UnderWay:
            await asyncio.sleep(_POLL_S)
    return await asyncio.to_thread(move, services, account_id, to)
