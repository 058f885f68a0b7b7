"""Who is calling, as far as headers and the address line tell."""

import asyncio
from typing import Literal

from starlette.requests import HTTPConnection

from runware_mock.accounts import Account
from runware_mock.services import Caller, Services

_CLIENT_CHARS = 100
_HTTP_SCHEMES = {"ws": "http", "wss": "https"}


def bearer_key(connection: HTTPConnection) -> str | None:
    """Return the key of `Authorization: Bearer <key>`."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


async def open_account(api_key: object, services: Services) -> Account:
    """Return the account of a key; raises missingApiKey or invalidApiKey."""
    if known := services.accounts.known(api_key):
        return known
    return await asyncio.to_thread(services.accounts.open, api_key)


def caller_of(connection: HTTPConnection, account: Account, services: Services) -> Caller:
    """Return the caller behind a request or socket; `?dryRun=1` validates tasks without executing them."""
    transport: Literal["ws", "rest"] = "ws" if connection.scope["type"] == "websocket" else "rest"
    is_dry_run = b"dryRun" in connection.scope["query_string"] and connection.query_params["dryRun"] in ("1", "true")
    return Caller(
        account,
        transport,
        base_url(connection, services),
        is_dry_run,
        _client(connection),
        plan_of(connection, account),
    )


def plan_of(connection: HTTPConnection, account: Account) -> str | None:
    """Return the fault plan that the client has named, in its key or in a header."""
    return account.plan or connection.headers.get("x-runware-mock-plan")


def _client(connection: HTTPConnection) -> str | None:
    """Name the SDK: `X-SDK-Name: python`, `X-SDK-Version: 0.5.24`, or whatever the client calls itself."""
    headers = connection.headers
    name = headers.get("x-sdk-name")
    client = f"{name}/{headers.get('x-sdk-version', '?')}" if name else headers.get("user-agent")
    return client[:_CLIENT_CHARS] if client else None


def base_url(connection: HTTPConnection, services: Services) -> str:
    """Return the address under which this client reaches the server: that of its own request, unless one is set."""
    if services.settings.public_url:
        return services.settings.public_url.rstrip("/")
    scheme = connection.scope["scheme"]
    host, port = connection.scope["server"] or ("127.0.0.1", services.settings.port)
    return f"{_HTTP_SCHEMES.get(scheme, scheme)}://{connection.headers.get('host') or f'{host}:{port}'}"
