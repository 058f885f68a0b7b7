"""Which account a control call speaks of."""

from typing import Annotated

from fastapi import Depends, Query, Request

from runware_mock.api.dependencies import bearer_key
from runware_mock.control.accounts import find_account
from runware_mock.control.refusals import ControlRefused
from runware_mock.services import Services
from runware_mock.storage.database import ALL_ACCOUNTS

# What a column of ids can hold.
LARGEST_ID = 2**63 - 1


def account_named(
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


def account_needed(account_id: Annotated[int, Depends(account_named)]) -> int:
    """Refuse a call that names no account."""
    if account_id == ALL_ACCOUNTS:
        raise ControlRefused("name an account: send its API key as Authorization: Bearer <key>", "account")
    return account_id


Account = Annotated[int, Depends(account_named)]
AccountNeeded = Annotated[int, Depends(account_needed)]
