"""What control calls have set: the clocks, whose plans there are, and how often something was changed."""

from sqlalchemy import bindparam, delete, insert, select

from runware_mock.storage.statements.inserts import insert_or_count
from runware_mock.storage.statements.written import Statement
from runware_mock.storage.tables import account_clock, control_version, fault_plan

VERSION = Statement(select(control_version.c.version))
# Who counts next waits for the row until this is committed: a version that is seen stands for all before it.
CHANGED = Statement(insert_or_count(control_version.c.version))
CLOCKS = Statement(select(account_clock.c.account_id, account_clock.c.offset_ms, account_clock.c.frozen_at))
ADD_CLOCK = Statement(insert(account_clock), ("account_id", "offset_ms", "frozen_at"))
REMOVE_CLOCKS = Statement(delete(account_clock))
REMOVE_CLOCK = Statement(delete(account_clock).where(account_clock.c.account_id == bindparam("account_id")))
PLANNED = Statement(select(fault_plan.c.account_id).distinct())
