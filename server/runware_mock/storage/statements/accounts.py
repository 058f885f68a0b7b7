"""Accounts, what each has left, and how many UUIDs were made up for it."""

from typing import Any

from sqlalchemy import bindparam, insert, select, update

from runware_mock.storage.statements.inserts import insert_unless_there
from runware_mock.storage.statements.written import Statement
from runware_mock.storage.tables import account, quota_bucket

_BUCKET = quota_bucket.c.account_id == bindparam("owner_id")
_LEFT: dict[str, Any] = {"tokens": bindparam("tokens_left"), "counted_at": bindparam("now_at")}

ADD = Statement(insert_unless_there(account, "key_hash"), ("key_hash", "label", "created_at"))
FIND = Statement(select(account.c.id, account.c.label).where(account.c.key_hash == bindparam("key_hash")))
ISSUE = Statement(
    update(account)
    .where(account.c.id == bindparam("account_id"))
    .values(issued=account.c.issued + 1)
    .returning(account.c.issued, account.c.key_hash)
)
BUCKET = Statement(select(quota_bucket.c.tokens, quota_bucket.c.counted_at).where(_BUCKET))
FIRST_TOKEN = Statement(insert(quota_bucket).values({"account_id": bindparam("owner_id"), **_LEFT}))
NEXT_TOKEN = Statement(update(quota_bucket).where(_BUCKET).values(_LEFT))
