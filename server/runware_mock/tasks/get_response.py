"""getResponse: what became of an earlier task.

"Poll `[{"taskType":"getResponse","taskUUID":"<original>"}]`"; "`taskType` is the original's, not `getResponse`";
"`status` appears only in poll answers".
"""

from runware_mock.clock import in_ms
from runware_mock.protocol.errors import refuse, retold
from runware_mock.protocol.messages import Item
from runware_mock.services import Caller, Services
from runware_mock.storage import journal
from runware_mock.tasks.models import GetResponse
from runware_mock.tasks.work import Work


def run(task: GetResponse, services: Services, caller: Caller) -> Work:
    """Return the items of the earlier task, each with `status`; raises its error, or taskNotFound."""
    with services.database.reading() as connection:
        since_at = services.now_at(caller.account.id) - in_ms(services.settings.conflict_window)
        entry = journal.find(connection, caller.account.id, task.task_uuid, since_at)
    if entry is None:
        raise refuse("taskNotFound", "It was never sent with this API key, or has been forgotten since.")
    if entry.outcome == "error":
        raise retold(entry.answer[0], status="error")
    # Where the clock has gone back behind the task nobody waits until it comes there again.
    if entry.at <= services.now_at(caller.account.id) < entry.ready_at:
        return [{"taskType": entry.task_type, "taskUUID": task.task_uuid, "status": "processing"}]
    return [{**item, **_as_media(item), "status": "success"} for item in entry.answer]


def _as_media(item: Item) -> Item:
    """Return the newer names of an image's UUID and URL: the older Python SDK looks for no others in a poll answer."""
    names = {"imageUUID": "mediaUUID", "imageURL": "mediaURL"}
    return {newer: item[older] for older, newer in names.items() if older in item}
