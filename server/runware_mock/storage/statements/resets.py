"""What a reset deletes: all rows of a table, or those of one account."""

from sqlalchemy import Table, bindparam, delete, select

from runware_mock.storage.statements.written import Statement
from runware_mock.storage.tables import delivery, fault_plan, journal, medium, quota_bucket, undelivered


def _rows(table: Table) -> tuple[Statement, Statement]:
    own = table.c.account_id == bindparam("account_id")
    return Statement(delete(table)), Statement(delete(table).where(own))


_CONTENTS = select(medium.c.content_id).distinct()

ALL_CONTENTS = Statement(_CONTENTS)
OWN_CONTENTS = Statement(_CONTENTS.where(medium.c.account_id == bindparam("account_id")))
ALL_MEDIA, OWN_MEDIA = _rows(medium)
ALL_JOURNAL, OWN_JOURNAL = _rows(journal)
ALL_UNDELIVERED, OWN_UNDELIVERED = _rows(undelivered)
ALL_DELIVERIES, OWN_DELIVERIES = _rows(delivery)
ALL_QUOTAS, OWN_QUOTAS = _rows(quota_bucket)
ALL_PLANS, OWN_PLANS = _rows(fault_plan)
