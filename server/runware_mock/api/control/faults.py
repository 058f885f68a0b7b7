"""The endpoints of fault plans."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from runware_mock.api.control.who import Account
from runware_mock.api.failures import GuardedRoute
from runware_mock.control import plans
from runware_mock.control.refusals import ControlRefused
from runware_mock.faults.plans import Plan, PlanState
from runware_mock.services import Services

Json = dict[str, Any]

_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": Plan.model_json_schema()}}}}


def router(services: Services) -> APIRouter:
    """Return the endpoints."""
    api = APIRouter(route_class=GuardedRoute, tags=["faults"])

    @api.post("/faults", status_code=201, openapi_extra=_BODY)
    async def add_plan(request: Request, account_id: Account) -> PlanState:
        """Make a plan: for the account, or without one for all accounts."""
        try:
            given = await request.json()
        except (ValueError, RecursionError):
            raise ControlRefused("the body is no JSON, or is nested too deeply", "body") from None
        return await asyncio.to_thread(plans.add_plan, services, account_id, given)

    @api.get("/faults")
    def list_plans(account_id: Account) -> Json:
        """List the plans, with what remains of them and what was met."""
        return {"plans": plans.list_plans(services, account_id)}

    @api.get("/faults/{name}")
    def get_plan(account_id: Account, name: str) -> PlanState:
        """Show one plan."""
        return plans.get_plan(services, account_id, name)

    @api.delete("/faults/{name}")
    def delete_plan(account_id: Account, name: str) -> Json:
        """Drop one plan."""
        return {"deleted": plans.delete_plans(services, account_id, name)}

    @api.delete("/faults")
    def delete_plans(account_id: Account) -> Json:
        """Drop every plan of the account."""
        return {"deleted": plans.delete_plans(services, account_id)}

    return api
