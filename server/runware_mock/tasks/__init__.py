"""The task types: one row each, one module a family."""

from collections.abc import Callable, Mapping
from importlib import import_module

from msgspec import Struct

from runware_mock.protocol.messages import Task
from runware_mock.services import Caller, Services
from runware_mock.tasks import get_response, image_upload, media_storage, unsupported
from runware_mock.tasks.work import Load, Work, load_of_drawing, load_of_upload

Run = Callable[[Task, Services, Caller], Work]


class TaskType(Struct, frozen=True):
    """How a task type is run.

    `run` checks the task, does the heavy part and returns what is left to write; it raises Refusal. `load` tells which
    threads the task belongs to. `names_another` marks the types whose taskUUID is that of an earlier task;
    `may_be_async` those that heed `deliveryMethod` and `webhookURL`; `stores` whether a task leaves media.
    """

    run: Run
    load: Callable[[Task], Load] = lambda _task: Load.LIGHT
    names_another: bool = False
    may_be_async: bool = False
    stores: Callable[[Task], bool] = lambda _task: True


def _later(name: str) -> Run:
    """Return a function by its module and its name: what draws takes a tenth of a start to import."""
    module, _, function = name.partition(".")

    def run(task: Task, services: Services, caller: Caller) -> Work:
        found: Run = getattr(import_module(f"{__name__}.{module}"), function)
        return found(task, services, caller)

    return run


def _drawn(name: str) -> TaskType:
    return TaskType(_later(name), load_of_drawing, may_be_async=True)


def _told(name: str) -> TaskType:
    return TaskType(_later(name), load_of_drawing, may_be_async=True, stores=_never)


def _never(_task: Task) -> bool:
    return False


# Both families of names are in use: the older Python SDK sends imageUpscale, the others send upscale.
TASKS: Mapping[str, TaskType] = {
    "imageUpload": TaskType(image_upload.run, load_of_upload),
    "mediaStorage": TaskType(media_storage.run, load_of_upload, stores=lambda task: task.get("operation") != "delete"),
    "getResponse": TaskType(get_response.run, names_another=True, stores=_never),
    "imageInference": _drawn("inference.run"),
    "photoMaker": _drawn("inference.run_photo_maker"),
    "upscale": _drawn("transforms.run_upscale"),
    "imageUpscale": _drawn("transforms.run_upscale"),
    "removeBackground": _drawn("transforms.run_remove_background"),
    "imageBackgroundRemoval": _drawn("transforms.run_remove_background"),
    "controlNetPreprocess": _drawn("transforms.run_preprocess"),
    "imageControlNetPreProcess": _drawn("transforms.run_preprocess"),
    "imageMasking": _drawn("transforms.run_masking"),
    "vectorize": _drawn("transforms.run_vectorize"),
    "caption": _told("text_tasks.run_caption"),
    "imageCaption": _told("text_tasks.run_caption"),
    "promptEnhance": TaskType(_later("text_tasks.run_enhance"), may_be_async=True, stores=_never),
    **dict.fromkeys(unsupported.NAMES, TaskType(unsupported.run, stores=_never)),
}

# Imported soon after a start: where no file can be opened any more, nothing can be.
DRAWING = tuple(f"{__name__}.{module}" for module in ("inference", "transforms", "words"))
