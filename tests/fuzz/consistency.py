"""What must hold of the stored data, whatever was done to the server."""

from sqlalchemy import func, select

from runware_mock.storage.models import (
    content,
    fault,
    fault_plan,
    medium,
    snapshot,
    snapshot_content,
)
from tests.running import RunningMock


def assert_consistent(mock: RunningMock) -> None:
    """Fail where a row points at nothing, or nothing at a content, or its size is not that of its bytes."""
    pointed = select(medium.c.content_id).union(select(snapshot_content.c.content_id))
    strays = {
        "content that nothing points at": select(content.c.id).where(content.c.id.not_in(pointed)),
        "medium without content": select(medium.c.id).where(medium.c.content_id.not_in(select(content.c.id))),
        "snapshot without its content": select(snapshot_content.c.content_id).where(
            snapshot_content.c.content_id.not_in(select(content.c.id))
        ),
        "kept content without snapshot": select(snapshot_content.c.content_id).where(
            snapshot_content.c.snapshot_id.not_in(select(snapshot.c.id))
        ),
        "fault without plan": select(fault.c.id).where(fault.c.plan_id.not_in(select(fault_plan.c.id))),
        "content of another size": select(content.c.id).where(content.c.size_bytes != func.length(content.c.bytes)),
    }
    with mock.services.database.reading() as connection:
        found = {name: list(connection.scalars(stray)) for name, stray in strays.items()}
    assert not any(found.values()), found
