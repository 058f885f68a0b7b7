"""The task types: one row each, one module a family."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runware_mock.protocol.messages import Task
from runware_mock.services import Caller, Services
from runware_mock.tasks import get_response, image_upload
from runware_mock.tasks.work import Load, Work


@dataclass(frozen=True, slots=True)
class TaskType:
    """How a task type is run.

    `run` checks the task, does the heavy part and returns what is left to write; it raises Refusal. `load` tells which
    threads the task belongs to. `names_another` marks the types whose taskUUID is that of an earlier task.
    """

    run: Callable[[Task, Services, Caller], Work]
    load: Callable[[Task], Load] = lambda _task: Load.LIGHT
    names_another: bool = False


TASKS: Mapping[str, TaskType] = {
    "imageUpload": TaskType(image_upload.run, image_upload.load),
    "getResponse": TaskType(get_response.run, names_another=True),
}
