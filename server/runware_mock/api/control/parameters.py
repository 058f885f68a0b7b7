"""What control calls take: the account that a call is about, and the types of its other parameters."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Body, Depends, Query, Request
from pydantic import BeforeValidator, Field, WithJsonSchema

from runware_mock.api.dependencies import bearer_key
from runware_mock.control.clocks import LATEST_AT
from runware_mock.control.journal import Filter, Outcome, Transport
from runware_mock.control.refusals import ControlRefused
from runware_mock.control.state import find_account
from runware_mock.services import Services
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.units import parse_duration

# The largest integer that a column of ids can hold.
LARGEST_ID = 2**63 - 1


def read_at(value: object) -> int:
    """Return milliseconds since 1970 for such a number, or for an ISO 8601 instant, which is in UTC by default."""
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
        raise ValueError("this lies outside of the years 1970 to 9799")
    return value


def account_of(
    request: Request,
    account: Annotated[
        int | None, Query(description="Id of the account, instead of its API key.", ge=1, le=LARGEST_ID)
    ] = None,
) -> int:
    """Return the account of the key in `Authorization: Bearer`, or of `?account=`; 0 stands for all accounts."""
    services: Services = request.app.state.services
    # What the call is about to do depends on the account's clock, which another process may have moved.
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
Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]
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
AtInBody = Annotated[At, Body(embed=True)]
SpanInBody = Annotated[Span, Body(embed=True)]


def _filter(
    task_type: str | None = None,
    task_uuid: str | None = None,
    outcome: Outcome | None = None,
    transport: Transport | None = None,
    code: Annotated[str | None, Query(description="Code of the error.")] = None,
    sha256: Annotated[str | None, Query(description="SHA-256 of the uploaded file, in hex.")] = None,
    text: Annotated[str | None, Query(description="Text in the task or its answer.")] = None,
    since: Annotated[Id | None, Query(description="Only entries after this id.")] = None,
    before: Annotated[Id | None, Query(description="Only entries before this id.")] = None,
) -> Filter:
    return Filter(task_type, task_uuid, outcome, transport, code, sha256, text, since, before)


Filtered = Annotated[Filter, Depends(_filter)]
