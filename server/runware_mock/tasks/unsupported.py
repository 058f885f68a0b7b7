"""Task types of the real service that no stand-in could imitate honestly."""

from typing import NoReturn

from runware_mock.protocol.errors import refuse
from runware_mock.services import Caller, Services
from runware_mock.tasks.models import AnyTask

NAMES = ("training",)


def run(task: AnyTask, _services: Services, _caller: Caller) -> NoReturn:
    """Refuse the task."""
    raise refuse("unsupportedTaskType", f"{task.task_type} exists, but runware-mock has no stand-in for it.")
