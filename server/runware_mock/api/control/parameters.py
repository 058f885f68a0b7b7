"""The parameters of control calls, and the answers to calls that fail."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import Body, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from runware_mock.api.control.guard import check_caller
from runware_mock.api.dependencies import bearer_key
from runware_mock.control.answers import Rule, Step
from runware_mock.control.calls import LARGEST_ID, Code, ControlRefused, dotted, not_found
from runware_mock.control.clocks import LATEST_AT
from runware_mock.control.journal import Filter
from runware_mock.control.state import find_account
from runware_mock.faults.kinds import KINDS, common_fields, own_fields
from runware_mock.faults.plans import Plan
from runware_mock.protocol.errors import Refusal
from runware_mock.services import Services
from runware_mock.storage.database import ALL_ACCOUNTS, outage_of
from runware_mock.values import parse_duration

_log = logging.getLogger(__name__)

PREFIX = "/_mock"


def read_at(value: object) -> int:
    """Return milliseconds since 1970 from such a number, or from an ISO 8601 instant, which is in UTC by default."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            raise ValueError(f"{value!r} is not an instant (write for example 2026-12-31T23:59:59Z)") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        value = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    if not 0 <= value <= LATEST_AT:
        raise ValueError("an instant must lie within the years 1970 to 9799")
    return value


def services_of(request: Request) -> Services:
    """Return the services of the application that was called."""
    services: Services = request.app.state.services
    return services


Provided = Annotated[Services, Depends(services_of)]


def account_of(
    services: Provided,
    request: Request,
    account: Annotated[
        int | None, Query(description="Id of the account, instead of its API key.", ge=1, le=LARGEST_ID)
    ] = None,
) -> int:
    """Return the account of the key in `Authorization: Bearer`, or of `?account=`; 0 stands for all accounts."""
    # The call depends on the account's clock, which another process may have moved.
    services.refresh()
    key = bearer_key(request.scope)
    if key:
        return services.accounts.open(key).id
    return ALL_ACCOUNTS if account is None else find_account(services, account)


def one_account(account_id: Annotated[int, Depends(account_of)]) -> int:
    """Refuse a call that names no account."""
    if account_id == ALL_ACCOUNTS:
        raise ControlRefused("name an account: send its API key as Authorization: Bearer <key>", "account")
    return account_id


Account = Annotated[int, Depends(account_of)]
OneAccount = Annotated[int, Depends(one_account)]
Limit = Annotated[int, Query(ge=1, le=1000)]
At = Annotated[
    int,
    BeforeValidator(read_at),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
    Field(description="An ISO 8601 instant, or milliseconds since 1970."),
]
Span = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string"}),
    Field(description="A duration such as 31d or 2h30m."),
]
Filtered = Annotated[Filter, Depends()]
AtInBody = Annotated[At, Body(embed=True)]
SpanInBody = Annotated[Span, Body(embed=True)]


class Failure(BaseModel):
    """Why nothing was done. `field` is the dotted path of what is wrong, such as `faults[0].kind`."""

    message: str
    field: str | None
    code: Code


class Refused(BaseModel):
    """The answer to a call that is refused."""

    error: Failure


def is_control(scope: Scope) -> bool:
    """Tell whether a request is one to the control API."""
    path: str = scope["path"]
    return (path + "/").startswith(f"{PREFIX}/")


def control_failure(request: Request, error: Exception) -> JSONResponse:
    """Return the answer to a call that has failed."""
    refused = error if isinstance(error, ControlRefused) else _refusal_of(request, error)
    body = {"message": refused.message, "field": refused.field, "code": refused.code}
    return JSONResponse({"error": body}, refused.status)


def _refusal_of(request: Request, error: Exception) -> ControlRefused:
    match error:
        case Refusal() if error.is_ours:
            return ControlRefused(error.message, None, "unavailable", error.status)
        case Refusal():
            # A key that the upload API refuses, too.
            return ControlRefused(error.message, "account", "forbidden", error.status)
        case RequestValidationError():
            return _invalid(error.errors()[0])
        case HTTPException(status_code=400):
            return ControlRefused("the body is not JSON, or is nested too deeply", "body")
        case HTTPException():
            return _no_such_call(request, error)
    _log.error("%s %s failed inside the mock", request.method, request.url.path, exc_info=error)
    return _crash(error)


def _crash(error: Exception) -> ControlRefused:
    if outage := outage_of(error):
        return ControlRefused(f"runware-mock cannot do this now: {outage}", None, "unavailable", 503)
    return ControlRefused("runware-mock itself failed; its log says more", None, "crash", 500)


def _no_such_call(request: Request, error: HTTPException) -> ControlRefused:
    try:
        check_caller(request, request.app.state.services.settings)
    except ControlRefused as refused:
        return refused
    path = request.url.path
    if error.status_code != 404:  # noqa: PLR2004 - not found
        return ControlRefused(f"{request.method} {path[:100]}: {error.detail}", "method", status=error.status_code)
    known = [one for one in request.app.openapi()["paths"] if one.startswith(PREFIX)]
    near = get_close_matches(path, known, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    return not_found(f"no such path {path[:100]}; {meant}there are {', '.join(known)}", "path")


def _invalid(error: Mapping[str, Any]) -> ControlRefused:
    """Return what FastAPI found wrong with a parameter or a field of the body."""
    source, *location = error["loc"]
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "json_invalid":
        return ControlRefused(f"the body is not JSON: {message}", source)
    if not location and source == "body":
        return ControlRefused(f"{message}; send a JSON object, with Content-Type: application/json", source)
    if location[:1] == ["faults"]:
        message = _fault_message(error, location) or message
        # The location contains the kind of the fault, which is not a field; if the kind is missing, it ends there.
        location = [*location[:2], *location[3:], *(["kind"] if error["type"].startswith("union_tag") else [])]
        if error["type"] == "model_attributes_type":
            location.append("kind")
    elif error["type"] == "extra_forbidden":
        known = Step.model_fields if location[0] == "give" else {**Rule.model_fields, **Plan.model_fields}
        message = f"there is no field {str(location[-1])[:40]!r}; {_nearest(str(location[-1]), known)}"
    return ControlRefused(message, dotted(location) or source)


def _fault_message(error: Mapping[str, Any], location: Sequence[Any]) -> str | None:
    """Return a message with the nearest valid kind or field, if a fault has an unknown one."""
    if error["type"] == "union_tag_invalid":
        kind = str(error["ctx"]["tag"])[:40]
        return f"there is no kind {kind!r} of fault; {_nearest(kind, KINDS)}"
    if error["type"] == "extra_forbidden":
        kind, field = str(location[2]), str(location[3])
        known = {**own_fields(kind), **common_fields()}
        return f"a fault of the kind {kind} has no field {field[:40]!r}; {_nearest(field, known)}"
    return None


def _nearest(given: str, known: Iterable[str]) -> str:
    near = get_close_matches(given, list(known), 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
