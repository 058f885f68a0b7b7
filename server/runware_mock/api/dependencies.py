"""What a request or socket says about its caller: key, account, SDK and base URL; and what control calls are given."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import Body, Depends, Query, Request
from pydantic import BeforeValidator, Field, WithJsonSchema
from starlette.types import Scope

from runware_mock.control.calls import LARGEST_ID, ControlRefused
from runware_mock.control.clocks import LATEST_AT
from runware_mock.control.journal import Filter
from runware_mock.control.state import find_account
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import is_authentication, parse_tasks
from runware_mock.protocol.redaction import holds_key, without_key, without_real_keys
from runware_mock.services import Caller, Services
from runware_mock.settings import Settings
from runware_mock.storage.accounts import Account
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.values import parse_duration

_log = logging.getLogger(__name__)

# Parsing or searching more bytes in the event loop would hold up other clients.
_READ_IN_LOOP_BYTES = 64 * 1024
_CLIENT_CHARS = 100
_HTTP_SCHEMES = {"ws": "http", "wss": "https"}


def header(scope: Scope, name: bytes) -> str | None:
    """Return a header's text by its lower-case name, or None; the first of equal names counts."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def bearer_key(scope: Scope) -> str | None:
    """Return the key of `Authorization: Bearer <key>`, or None."""
    scheme, _, key = (header(scope, b"authorization") or "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


async def open_account(api_key: object, services: Services) -> Account:
    """Return the account of a key; raises missingApiKey or invalidApiKey."""
    if known := services.accounts.known(api_key):
        return known
    return await asyncio.to_thread(services.accounts.open, api_key)


async def head_account(scope: Scope, services: Services) -> Account:
    """Return the account of the key in the head, or that of all accounts if there is none or it is bad."""
    key = bearer_key(scope)
    # A bad key is refused later, when the client authenticates.
    with suppress(Refusal):
        if key:
            return await open_account(key, services)
    return Account(ALL_ACCOUNTS, "")


def missing_key(scope: Scope, settings: Settings) -> Refusal:
    """Return the refusal of a request without a key, which says how to send one."""
    hint = "Send it as 'Authorization: Bearer <key>'"
    if not settings.api_key:
        hint += "; runware-mock accepts any key"
    if header(scope, b"authorization"):
        hint += ". The Authorization header of this request lacks 'Bearer ' or a key"
    elif header(scope, b"x-api-key"):
        hint += ". The header X-API-Key is not read"
    return refuse("missingApiKey", f"{hint}.")


async def read_tasks(raw: bytes | bytearray | str, settings: Settings) -> list[object]:
    """Return the tasks of a body or frame, as `parse_tasks` does; a long one is parsed in a thread."""
    return await _off_loop(len(raw), parse_tasks, raw, settings.max_tasks)


async def keyless(tasks: list[object], api_key: object, account: Account, length: int) -> list[object]:
    """Return tasks without their sender's key, so that no later code can store, log or return it.

    `length` is that of the body or frame that held them.
    """
    return await _off_loop(length, _keyless, tasks, api_key, account)


async def _off_loop(size_bytes: int, act: Callable[..., list[object]], *given: Any) -> list[object]:
    return act(*given) if size_bytes <= _READ_IN_LOOP_BYTES else await asyncio.to_thread(act, *given)


def _keyless(tasks: list[object], api_key: object, account: Account) -> list[object]:
    if not isinstance(api_key, str) or not any(
        holds_key(task, api_key) for task in tasks if not is_authentication(task)
    ):
        return tasks
    _log.warning("a task of %s held its own API key, which was taken out of it", account.label)
    return [task if is_authentication(task) else without_key(task, api_key) for task in tasks]


def caller_of(scope: Scope, account: Account, services: Services, api_key: object) -> Caller:
    """Return the caller behind a request or socket.

    `?dryRun=1` and the header `X-Runware-Dry-Run: 1` check tasks and return their cost without executing them.
    """
    query = scope["query_string"]
    dry_run = dict(parse_qsl(query)).get(b"dryRun") if b"dryRun" in query else None
    return Caller(
        account,
        transport_of(scope),
        base_url(scope, services, api_key),
        dry_run in (b"1", b"true") or header(scope, b"x-runware-dry-run") in ("1", "true"),
        client_of(scope, api_key),
        plan_of(scope, account),
    )


def transport_of(scope: Scope) -> Literal["rest", "ws"]:
    """Return how the journal calls the transport."""
    return "ws" if scope["type"] == "websocket" else "rest"


def plan_of(scope: Scope, account: Account) -> str | None:
    """Return the fault plan that the client names in its key or a header, or None."""
    return account.plan or header(scope, b"x-runware-mock-plan")


def client_of(scope: Scope, api_key: object) -> str | None:
    """Return the SDK of `X-SDK-Name: python`, `X-SDK-Version: 0.5.24`, or else the User-Agent; None if unknown."""
    name = header(scope, b"x-sdk-name")
    client = f"{name}/{header(scope, b'x-sdk-version') or '?'}" if name else header(scope, b"user-agent")
    if client and isinstance(api_key, str) and holds_key(client, api_key):
        client = str(without_key(client, api_key))
    return without_real_keys(client)[:_CLIENT_CHARS] if client else None


def base_url(scope: Scope, services: Services, api_key: object = None) -> str:
    """Return the address at which this client reaches the server: that of its own request, unless one is set.

    A `Host` that contains the client's key is ignored: it would be stored with every URL made from it.
    """
    if services.settings.public_url:
        return services.settings.public_url.rstrip("/")
    scheme = scope["scheme"]
    named = header(scope, b"host")
    if not named or (isinstance(api_key, str) and holds_key(named.lower(), api_key.lower())):
        host, port = scope["server"] or ("127.0.0.1", services.settings.port)
        named = f"{host}:{port}"
    return f"{_HTTP_SCHEMES.get(scheme, scheme)}://{named}"


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
    given = header(request.scope, b"authorization")
    if given and " " not in given:
        # A shell leaves a bare "Bearer" of "Bearer $RUNWARE_API_KEY" where the variable is not set. Whoever sends that,
        # or a key alone, does not mean all accounts.
        raise ControlRefused(
            "Authorization must be `Bearer <API key>`; leave it out to act on all accounts", "Authorization", status=401
        )
    if key:
        return services.accounts.open(key).id
    return ALL_ACCOUNTS if account is None else find_account(services, account)


def one_account(account_id: Annotated[int, Depends(account_of)]) -> int:
    """Refuse a call that names no account."""
    if account_id == ALL_ACCOUNTS:
        raise ControlRefused("name an account: send its API key as Authorization: Bearer <key>", "account")
    return account_id


AccountId = Annotated[int, Depends(account_of)]
OneAccountId = Annotated[int, Depends(one_account)]
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
