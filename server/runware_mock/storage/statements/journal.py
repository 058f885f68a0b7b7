"""Entries of the journal: the newest that fit, and what answers for a taskUUID."""

from sqlalchemy import bindparam, delete, func, insert, select

from runware_mock.storage.statements.inserts import insert_for_id
from runware_mock.storage.statements.written import Statement
from runware_mock.storage.tables import journal

_OF_TASK = (
    (journal.c.account_id == bindparam("account_id"))
    & (journal.c.task_uuid == bindparam("task_uuid"))
    & (journal.c.at > bindparam("since_at"))
)
_SIZES = select(
    journal.c.id,
    func.row_number().over(order_by=journal.c.id.desc()).label("number"),
    func.sum(journal.c.size_bytes).over(order_by=journal.c.id.desc()).label("total_bytes"),
).subquery()

ADD = Statement(insert_for_id(insert(journal)), [column.name for column in journal.columns if column.name != "id"])
BEST = Statement(
    select(journal.c.task_type, journal.c.at, journal.c.ready_at, journal.c.outcome, journal.c.answer)
    .where(
        _OF_TASK,
        # That a task came twice says nothing of how it went, nor does that a fault kept it from being done.
        ~journal.c.answer.startswith('[{"code":"conflictTaskUUID"'),
        journal.c.outcome != "fault",
    )
    # A success is final; what failed under the same UUID may have been sent again since.
    .order_by((journal.c.outcome == "success").desc(), journal.c.id.desc())
    .limit(1)
)
DONE = Statement(select(journal.c.id).where(_OF_TASK, journal.c.outcome == "success").limit(1))
TOO_OLD = Statement(
    select(func.max(_SIZES.c.id)).where(
        (_SIZES.c.number > bindparam("max_entries")) | (_SIZES.c.total_bytes > bindparam("max_bytes"))
    )
)
CUT = Statement(delete(journal).where(journal.c.id <= bindparam("newest_id")))
